import type { DecisionBasis, NextDecision, WeighedTarget } from '../next-decision.ts';
import { candidateTable, featureTable, figure, rightTable } from './candidate-table.ts';
import { paint, printable } from './terminal.ts';

/** Parts of a score that are no summands of it. */
const BESIDE = ['load', 'silent'];

/** What a choice would decide, and why: a line that says it, what it rests on, and a table of the targets. */
export function nextDecisionText(choice: string, decision: NextDecision, allFeatures: boolean): string {
  const { bold, dim } = paint(process.stdout);
  const { basis, notes, targets, chosen } = decision;
  const shown = targets.map((one) => ({ ...one, mark: markOf(one, chosen) }));
  const said = [basis === undefined ? [] : [basisText(basis)], notes].flat();
  return [
    bold(`choice ${printable(choice)}: ${verdict(decision)}\n`),
    ...said.map((line) => dim(`  ${printable(line)}\n`)),
    scoreTable(targets, chosen),
    ...targets.flatMap(({ target, reason }) =>
      reason === undefined ? [] : [dim(`  · ${printable(target)} ${reason}\n`)],
    ),
    basis === undefined && !allFeatures ? '' : allFeatures ? featureTable(shown) : candidateTable(shown),
  ].join('');
}

function verdict(decision: NextDecision): string {
  const { chosen, targets, by, policy, model, version, share, fallback } = decision;
  const propensity = targets.find(({ target }) => target === chosen)?.propensity;
  const which = model === undefined ? 'no model' : `model ${model.slice(0, 12)}`;
  return [
    chosen === undefined ? 'waits, no target is available' : printable(chosen),
    ...(propensity === undefined ? [] : [`propensity ${figure(propensity)}`]),
    `by ${by} (${policy})`,
    version === undefined ? which : `${which} (version ${version})`,
    ...(share === undefined ? [] : [share === 0 ? 'which only watches' : `which decides ${figure(100 * share)} %`]),
    ...(fallback === undefined ? [] : [`model not used: ${printable(fallback)}`]),
  ].join(', ');
}

function basisText({ ageMs, idle, decisions, spanMs, gateway, instance }: DecisionBasis): string {
  const asOf = idle ? `as of now, ${ago(ageMs)} after` : `as of ${ago(ageMs)} ago,`;
  return `${asOf} the last of ${decisions} decisions that ${gateway} on ${instance} has recorded in ${ago(spanMs)}`;
}

function ago(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 120) return `${figure(seconds)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

function markOf({ target, available }: WeighedTarget, chosen: string | undefined): string {
  if (target === chosen) return '✔';
  return available ? ' ' : '·';
}

/** The score, its parts, and what was expected. */
function scoreTable(targets: readonly WeighedTarget[], chosen: string | undefined): string {
  const names = [...new Set(targets.flatMap(({ parts }) => Object.keys(parts)))].filter((name) => {
    return !BESIDE.includes(name);
  });
  const isForecast = targets.some(({ expected }) => expected !== undefined);
  const expected = isForecast ? ['EXPECTS MS', 'Q95', 'P-FAIL'] : [];
  const head = ['', 'TARGET', 'PROPENSITY', 'SCORE', ...names.map(title), ...expected, 'IN FLIGHT'];
  const rows = targets.map((one) => [
    `  ${markOf(one, chosen)}`,
    printable(one.target),
    figure(one.propensity),
    figure(one.score),
    ...names.map((name) => figure(one.parts[name])),
    ...(isForecast ? [one.expected?.ms, one.expected?.q95Ms, one.expected?.failure].map(figure) : []),
    figure(one.inFlight),
  ]);
  return rightTable([head, ...rows], 2);
}

/** `withinRate` is `WITHIN RATE`. */
function title(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase();
}
