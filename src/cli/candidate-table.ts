import { printable, table } from './terminal.ts';

/** What most decisions hang on: the features beside the scores. */
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

const NOTHING = 5e-5;

/** A candidate with what was known of it. */
export interface ShownCandidate {
  readonly target: string;
  /** `✔` chosen, `·` was no candidate. */
  readonly mark: string;
  readonly scores?: { readonly ms: number; readonly q95Ms: number; readonly failure: number } | undefined;
  readonly features: Readonly<Record<string, number>>;
}

/** A line for each candidate: what the model says of it, where there is one, and the features that most hangs on. */
export function candidateTable(candidates: readonly ShownCandidate[]): string {
  const isScored = candidates.some(({ scores }) => scores !== undefined);
  const head = ['', 'TARGET', ...(isScored ? ['MS', 'Q95', 'P-FAIL'] : []), ...COLUMNS.map(([title]) => title)];
  const rows = candidates.map(({ mark, target, scores, features }) => [
    `  ${mark}`,
    printable(target),
    ...(isScored ? [scores?.ms, scores?.q95Ms, scores?.failure].map(figure) : []),
    ...COLUMNS.map(([, name]) => figure(features[name])),
  ]);
  return rightTable([head, ...rows], 2);
}

/** Every feature on a line, every candidate in a column. */
export function featureTable(candidates: readonly ShownCandidate[]): string {
  const names = [...new Set(candidates.flatMap(({ features }) => Object.keys(features)))];
  const line = (title: string, value: (candidate: ShownCandidate) => number | undefined): string[] => [
    `  ${printable(title)}`,
    ...candidates.map((candidate) => figure(value(candidate))),
  ];
  return rightTable(
    [
      ['  ', ...candidates.map(({ mark, target }) => `${mark} ${printable(target)}`)],
      line('score ms', ({ scores }) => scores?.ms),
      line('score q95', ({ scores }) => scores?.q95Ms),
      line('score p-fail', ({ scores }) => scores?.failure),
      ...names.map((name) => line(name, ({ features }) => features[name])),
    ],
    1,
  );
}

/** A table whose columns from `first` on are figures. */
export function rightTable(rows: readonly (readonly string[])[], first: number): string {
  const columns = rows[0]?.length ?? 0;
  return table(
    rows,
    Array.from({ length: Math.max(0, columns - first) }, (_, i) => i + first),
  );
}

/** Three digits, and nothing of what is next to nothing; `-` for what is not known. */
export function figure(value: number | undefined): string {
  if (value === undefined) return '-';
  if (Math.abs(value) < NOTHING || Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
