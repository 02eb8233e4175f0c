import type { Evaluation, GateReport, ReadSummary, Rival } from '../modelling.ts';
import { isLive, paint, printable, table } from './terminal.ts';

/** Where a `model` command finds the models. */
export interface ModelOptions {
  readonly models: string;
}

/** What was read, on one line; what was wrong with the rest, on another. */
export function readText({ rows, seen, bad, firstBad }: ReadSummary): string {
  const kept = rows < seen ? ` (the last ${rows} of ${seen})` : '';
  const wrong = bad > 0 ? `; ${bad} bad lines left out, the first: ${printable(firstBad ?? '')}` : '';
  return `rows      ${rows}${kept}${wrong}\n`;
}

const MEASURES = ['logMae', 'pinball', 'coverage', 'logLoss', 'failureError'] as const;

/** Figures overall and by target. */
export function evaluationText({ overall, byTarget }: Evaluation): string {
  const rows = [['overall', overall] as const, ...Object.entries(byTarget)].map(([name, metrics]) => [
    printable(name),
    String(metrics.rows),
    ...MEASURES.map((measure) => number(metrics[measure])),
  ]);
  return table(
    [['TARGET', 'ROWS', 'LOG-MAE', 'PINBALL', 'COVERAGE', 'LOG-LOSS', 'CALIBRATION'], ...rows],
    [1, 2, 3, 4, 5, 6],
  );
}

/** What it is compared with beside averages, if that is not plain to see. */
export function rivalText(rival: Rival | undefined): string {
  if (rival?.unusable === undefined) return '';
  return `version ${rival.version} is in force and cannot be run, so it is not compared with: ${printable(rival.unusable)}\n`;
}

/** Every check of the gate: what was measured, and what it was held against. */
export function gateText({ passed, checks, unjudged, offPolicy, closedLoop }: GateReport, notRun?: string): string {
  const { good, bad, dim } = paint(process.stdout);
  const rows = checks.map((check) => [
    check.passed ? '✔' : '✘',
    check.target === undefined ? check.name : `${check.name} ${printable(check.target)}`,
    number(check.value),
    number(check.limit),
  ]);
  const lines = table([['', 'CHECK', 'IS', 'LIMIT'], ...rows], [2, 3]).split('\n');
  const coloured = lines.map((line) => (line.startsWith('✘') ? bad(line) : line.startsWith('✔') ? good(line) : line));
  const few = unjudged.length === 0 ? '' : dim(`too few rows to judge: ${unjudged.map(printable).join(', ')}\n`);
  const past = offPolicy === undefined ? '' : dim(offPolicyText(offPolicy));
  const simulated = dim(closedLoopText(closedLoop, passed));
  const run = notRun === undefined ? '' : `it could not be run: ${printable(notRun)}\n`;
  return `${coloured.join('\n')}${few}${past}${simulated}${run}${passed ? good('the gate passes') : bad('the gate does not pass')}\n`;
}

function offPolicyText(estimate: NonNullable<GateReport['offPolicy']>): string {
  const { decisions, logged, snips, doublyRobust, effectiveShare } = estimate;
  const ms = [logged, doublyRobust, snips].map((value) => value.toPrecision(3));
  const share = `${(100 * effectiveShare).toFixed(0)} % of ${decisions} logged decisions`;
  return `a decision cost ${ms[0]} ms; with the model ${ms[1]} (doubly robust) or ${ms[2]} (SNIPS), by ${share}\n`;
}

/** How it did where its own decisions made what it was asked next, family by family. */
function closedLoopText(report: GateReport['closedLoop'], passed: boolean): string {
  if (report === undefined) return passed ? 'it was not tried in simulated scenarios\n' : '';
  const { scenarios, families, cpuMs } = report;
  const each = Object.entries(families).map(([name, { modelOff }]) => `${name} ${modelOff.toFixed(2)}`);
  const lines = [each.slice(0, 6), each.slice(6)].map((part) => `  ${part.join(', ')}\n`);
  const took = (cpuMs / 1_000).toFixed(1);
  return `ms per event over the model off's in ${scenarios} simulated scenarios of each family (${took} s of CPU):\n${lines.join('')}`;
}

/** Tells of a trial in simulated scenarios on a line that is drawn anew; nothing where there is no terminal. */
export function simulationLine(): ((done: number, of: number) => void) | undefined {
  if (!isLive(process.stderr)) return undefined;
  return (done, of) => void process.stderr.write(`\r\u001b[Ksimulated scenario ${done} of ${of}`);
}

function number(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '-';
  return Math.abs(value) >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(3);
}
