import { type ExplainedCandidate, type ExplainedDecision, lastDecisions } from '../telemetry/explain-decisions.ts';
import { EXIT, ExitError } from './exit.ts';
import { requireConfig } from './load.ts';
import { paint, printable, table } from './terminal.ts';

export interface DecisionsOptions {
  readonly config: string;
  readonly telemetry?: string;
  readonly choice?: string;
  readonly last: number;
  readonly features?: boolean;
  readonly output: 'text' | 'json';
}

/** What most decisions hang on: the columns beside the scores. */
const COLUMNS = [
  ['LOAD', 'inflight_norm'],
  ['ACK 1S', 'ack_ewma_1s'],
  ['ACK 30S', 'ack_ewma_30s'],
  ['P95 5S', 'ack_p95_5s'],
  ['FLOOR', 'floor_30s'],
  ['ERRORS', 'err_ewma'],
  ['ACKS/S', 'ack_rate'],
  ['BACKLOG', 'backlog'],
] as const;

const HEAD = ['', 'TARGET', 'MS', 'Q95', 'P-FAIL', ...COLUMNS.map(([head]) => head)];

/** `fairlead decisions`: the last recorded decisions, each with what was known of its candidates. */
export async function decisions(options: DecisionsOptions): Promise<void> {
  const directory = options.telemetry ?? directoryOf(options.config);
  const found = await lastDecisions(directory, { count: options.last, choice: options.choice });
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else process.stdout.write(found.map((decision) => text(decision, options.features === true)).join('\n'));
  if (found.length === 0) process.stderr.write(`no decisions in ${directory}\n`);
}

function directoryOf(file: string): string {
  const { telemetry } = requireConfig(file);
  if (telemetry !== undefined) return telemetry.path;
  throw new ExitError(EXIT.config, `${file} has no section telemetry, so nothing is recorded; or name a --telemetry`);
}

function text(decision: ExplainedDecision, all: boolean): string {
  const { bold, dim } = paint(process.stdout);
  const { ts, choice, chosen, route, by, policy, propensity, explored, attempt, bytes, inFlight, model } = decision;
  const head = `${new Date(ts).toISOString()}  ${choice} → ${chosen}  ${outcome(decision)}`;
  const parts = [
    `route ${route}`,
    `by ${by} (${policy})`,
    `propensity ${number(propensity)}`,
    ...(explored ? ['explored'] : []),
    `attempt ${attempt}`,
    `${bytes} bytes`,
    `${inFlight} in flight`,
    ...(model === undefined ? ['no model'] : [`model ${model.slice(0, 12)}`]),
  ];
  const lines = [bold(printable(head)), dim(`  ${printable(parts.join(', '))}`)];
  const candidates = all ? features(decision) : scores(decision);
  return `${lines.join('\n')}\n${candidates}`;
}

function outcome({ outcome: what, ackMs }: ExplainedDecision): string {
  return ackMs === undefined ? what : `${what} in ${number(ackMs)} ms`;
}

function scores({ candidates, chosen }: ExplainedDecision): string {
  if (candidates.length === 0) return '  nothing was known of the candidates yet\n';
  const rows = candidates.map((candidate) => [
    `  ${mark(candidate, chosen)}`,
    printable(candidate.target),
    ...[candidate.scores?.ms, candidate.scores?.q95Ms, candidate.scores?.failure].map(number),
    ...COLUMNS.map(([, name]) => number(candidate.features[name])),
  ]);
  return table(
    [HEAD, ...rows],
    HEAD.map((_, at) => at).filter((at) => at > 1),
  );
}

/** Every feature on a line, every candidate in a column. */
function features({ candidates, chosen }: ExplainedDecision): string {
  if (candidates.length === 0) return scores({ candidates, chosen } as ExplainedDecision);
  const names = [...new Set(candidates.flatMap((candidate) => Object.keys(candidate.features)))];
  const rows = [
    ['  ', ...candidates.map((candidate) => `${mark(candidate, chosen)} ${printable(candidate.target)}`)],
    ['  score ms', ...candidates.map((candidate) => number(candidate.scores?.ms))],
    ['  score q95', ...candidates.map((candidate) => number(candidate.scores?.q95Ms))],
    ['  score p-fail', ...candidates.map((candidate) => number(candidate.scores?.failure))],
    ...names.map((name) => [
      `  ${printable(name)}`,
      ...candidates.map((candidate) => number(candidate.features[name])),
    ]),
  ];
  return table(
    rows,
    candidates.map((_, at) => at + 1),
  );
}

function mark({ target, eligible }: ExplainedCandidate, chosen: string): string {
  if (target === chosen) return '✔';
  return eligible ? ' ' : '·';
}

function number(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value === 0 || Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
