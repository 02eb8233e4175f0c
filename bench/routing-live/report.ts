import type { SelectorName } from '../../src/core/selector.ts';
import { stream } from '../../src/simulation/world/random.ts';
import { median } from '../stats.ts';
import { type Figures, GIVEN_UP_MS } from './figures.ts';
import { SEND_TIMEOUT_MS } from './gateway.ts';

/** What came of one block. */
export interface Outcome {
  readonly by: SelectorName;
  readonly repetition: number;
  readonly hit: string;
  readonly figures: Figures;
}

/** A median with the 95 % interval that resampling gives; below six values their range. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Policies that the bounds hold for; the others are there to be compared with. */
const OURS: readonly SelectorName[] = ['adaptive', 'predictive'];
const BASE: SelectorName = 'p2c-ewma';
const RESAMPLES = 1_000;

const COLUMNS: readonly (readonly [string, (of: Figures) => number])[] = [
  ['p50 ms', ({ p50 }) => p50],
  ['p99 ms', ({ p99 }) => p99],
  ['slow p99', ({ p99Of }) => p99Of['slow-down'] ?? Number.NaN],
  ['brown p99', ({ p99Of }) => p99Of['brown-out'] ?? Number.NaN],
  ['hole p99', ({ p99Of }) => p99Of['black hole'] ?? Number.NaN],
  ['failed %', ({ failed, events }) => (100 * failed) / events],
  ['unkeyed ms', ({ unkeyedMs }) => unkeyedMs],
  ['keyed ms', ({ keyedMs }) => keyedMs],
  ['95 % ms', ({ throughputMs }) => throughputMs],
  ['again ms', ({ againMs }) => againMs],
];

export interface Verdict {
  readonly what: string;
  readonly value: number;
  readonly atMost: number;
}

export function estimate(values: readonly number[]): Estimate {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length < 6) return { value: middle(sorted), low: sorted[0] ?? NaN, high: sorted.at(-1) ?? NaN };
  const random = stream(1, 91);
  const draw = (): number => middle(values.map(() => values[Math.floor(random() * values.length)] as number));
  const draws = Array.from({ length: RESAMPLES }, draw).sort((a, b) => a - b);
  const at = (q: number): number => draws[Math.floor(q * (RESAMPLES - 1))] as number;
  return { value: middle(sorted), low: at(0.025), high: at(0.975) };
}

/** The median, where some of the values may be infinite. */
function middle(values: readonly number[]): number {
  const found = median(values);
  return Number.isNaN(found) && values.length > 0 ? Number.POSITIVE_INFINITY : found;
}

export function verdictsOf(outcomes: readonly Outcome[]): readonly Verdict[] {
  return OURS.flatMap((by) => {
    const own = of(outcomes, by);
    if (own.length === 0) return [];
    const value = (figure: (one: Figures) => number): number => middle(own.map(figure));
    return [
      { what: `${by}: unkeyed events leave a black hole`, value: value(({ unkeyedMs }) => unkeyedMs), atMost: 1_000 },
      {
        what: `${by}: keyed events leave it, the timeout of a send and the drain`,
        value: value(({ keyedMs }) => keyedMs),
        atMost: SEND_TIMEOUT_MS + 1_000,
      },
      { what: `${by}: 95 % of throughput is back`, value: value(({ throughputMs }) => throughputMs), atMost: 5_000 },
    ];
  });
}

export function reportOf(outcomes: readonly Outcome[], verdicts: readonly Verdict[]): string {
  const policies = [...new Set(outcomes.map(({ by }) => by))];
  const most = Math.max(...policies.map((by) => of(outcomes, by).length));
  const lines = [
    `\nmedians of ${most} repetitions [${most < 6 ? 'range' : '95 % interval'}]; what is not taken after ${GIVEN_UP_MS} ms has failed`,
    '',
  ];
  for (const [name, figure] of COLUMNS) {
    lines.push(
      row(
        name,
        policies.map((by) => interval(estimate(of(outcomes, by).map(figure)))),
      ),
    );
  }
  const sums = (figure: (of: Figures) => number): string[] =>
    policies.map((by) => whole(of(outcomes, by).reduce((total, one) => total + figure(one), 0)));
  lines.push(
    row(
      'lost',
      sums(({ lost }) => lost),
    ),
    row(
      'twice',
      sums(({ duplicates }) => duplicates),
    ),
  );
  if (policies.includes(BASE)) {
    lines.push(
      row(
        `p99 ÷ ${BASE}`,
        policies.map((by) => interval(estimate(ratios(outcomes, by)), 2)),
      ),
    );
  }
  lines.splice(2, 0, row('', policies));
  const bounds = verdicts.map(({ what, value, atMost }) => {
    return `${value <= atMost ? 'holds' : 'DOES NOT HOLD'}  ${what}: ${whole(value)} ms (must ≤ ${whole(atMost)})`;
  });
  return `${[...lines, '', ...bounds].join('\n')}\n`;
}

/** p99 over that of the base policy in the same repetition. */
function ratios(outcomes: readonly Outcome[], by: SelectorName): number[] {
  return outcomes.flatMap((one) => {
    if (one.by !== by) return [];
    const base = outcomes.find((other) => other.by === BASE && other.repetition === one.repetition);
    return base === undefined ? [] : [one.figures.p99 / base.figures.p99];
  });
}

function of(outcomes: readonly Outcome[], by: SelectorName): readonly Figures[] {
  return outcomes.filter((one) => one.by === by).map(({ figures }) => figures);
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(16) + cells.map((cell) => cell.padStart(26)).join('');
}

function interval({ value, low, high }: Estimate, digits?: number): string {
  return `${whole(value, digits)} [${whole(low, digits)}, ${whole(high, digits)}]`;
}

function whole(value: number, digits?: number): string {
  if (!Number.isFinite(value)) return 'never';
  if (digits !== undefined) return value.toFixed(digits);
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
