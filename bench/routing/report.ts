import type { Figures } from '../../src/simulation/figures.ts';
import { type Estimate, geometricMean, of, ratio, same } from './compare.ts';
import type { Cpu } from './decision-cpu.ts';
import type { Evaluation } from './evaluate.ts';
import { BASE, type Capacities, nameOf, type Policy } from './policies.ts';
import { holds, type Verdict } from './verdicts.ts';

const NAME_WIDTH = 20;

/** Both tables, families one by one, the bounds, and the goals, as lines of text. */
export function reportOf(evaluation: Evaluation, cpu: readonly Cpu[], verdicts: readonly Verdict[]): string {
  const policies = policiesOf(evaluation);
  const tables = (['undeclared', 'declared'] as const).map((capacities) => {
    const own = policies.filter((policy) => policy.capacities === capacities);
    return own.length === 0
      ? ''
      : ratioTable(evaluation, own, capacities) + figureTable(evaluation, own) + familyTable(evaluation, own);
  });
  return [...tables, cpuTable(cpu), verdictList(verdicts)].join('');
}

export function policiesOf({ outcomes }: Evaluation): readonly Policy[] {
  const policies: Policy[] = [];
  for (const { policy } of outcomes) if (!policies.some((known) => same(known, policy))) policies.push(policy);
  return policies;
}

/** Geometric means over P2C peak EWMA with the same knowledge and one gateway. */
function ratioTable({ outcomes }: Evaluation, policies: readonly Policy[], capacities: Capacities): string {
  const base: Policy = { by: BASE, capacities, gateways: 1 };
  const held = outcomes.some(({ heldOut }) => heldOut);
  const all = outcomes.some(({ heldOut }) => !heldOut);
  const wanted = [
    ...(all ? [['all', () => true] as const] : []),
    ...(held ? [['held out', (_: string, heldOut: boolean) => heldOut] as const] : []),
  ];
  const head = wanted.flatMap(([name]) => [`J, ${name}`, `p99, ${name}`, `failed, ${name}`]);
  const lines = policies.map((policy) =>
    row(
      nameOf(policy),
      wanted.flatMap(([, families]) =>
        (['j', 'p99Ms', 'failed'] as const).map((measure) =>
          interval(ratio(outcomes, policy, base, measure, families)),
        ),
      ),
      18,
    ),
  );
  return `\nCapacities ${capacities}: over ${BASE}, geometric means with 95 % intervals (less is better)\n${row('', head, 18)}${lines.join('')}`;
}

/** Figures over all families: geometric means of J and latencies, sums and means of the others. */
function figureTable({ outcomes }: Evaluation, policies: readonly Policy[]): string {
  const head = [
    'J ms',
    'p50',
    'p99',
    'p99.9',
    'SLO %',
    'failed ‰',
    'dup ‰',
    'reord ‰',
    'cost',
    'divert ms',
    'recover ms',
  ];
  const lines = policies.map((policy) => {
    const all = of(outcomes, policy);
    const events = sum(all, ({ events }) => events);
    const perThousand = (figure: (of: Figures) => number): string => ((1_000 * sum(all, figure)) / events).toFixed(2);
    return row(nameOf(policy), [
      short(geometricMean(all.map(({ j }) => j))),
      short(geometricMean(all.map(({ p50Ms }) => p50Ms))),
      short(geometricMean(all.map(({ p99Ms }) => p99Ms))),
      short(geometricMean(all.map(({ p999Ms }) => p999Ms))),
      ((100 * sum(all, (own) => own.slo * own.events)) / events).toFixed(1),
      perThousand(({ failed }) => failed),
      perThousand(({ duplicates }) => duplicates),
      perThousand(({ reorderings }) => reorderings),
      (sum(all, (own) => own.costPerEvent * own.events) / events).toFixed(3),
      middle(all.flatMap(({ divertMs }) => divertMs)),
      middle(all.flatMap(({ recoverMs }) => recoverMs)),
      (sum(all, (own) => own.switchRate) / all.length).toFixed(2),
      `${((100 * sum(all, ({ explored }) => explored)) / all.length).toFixed(1)}`,
    ]);
  });
  return `\n${row('', [...head, 'switches', 'explored %'])}${lines.join('')}`;
}

/** J in ms, geometric mean over the seeds of each family; the bounds below. */
function familyTable({ outcomes, bounds }: Evaluation, policies: readonly Policy[]): string {
  const families = [...new Map(outcomes.map(({ family, heldOut }) => [family, heldOut]))];
  const head = families.map(([family, heldOut]) => `${heldOut ? '*' : ''}${family}`.slice(0, 11));
  const lines = policies.map((policy) =>
    row(
      nameOf(policy),
      families.map(([family]) =>
        short(geometricMean(of(outcomes, policy, (name) => name === family).map(({ j }) => j))),
      ),
    ),
  );
  for (const bound of ['fluid', 'noQueue'] as const)
    lines.push(
      row(
        bound === 'fluid' ? '(fluid bound)' : '(no-queue bound)',
        families.map(([name]) =>
          short(geometricMean(bounds.flatMap((own) => (own.family === name ? [Math.max(own[bound], 1e-3)] : [])))),
        ),
      ),
    );
  return `\nJ in ms by family (* held out: nothing was trained or tuned on it)\n${row('', head)}${lines.join('')}`;
}

function cpuTable(cpu: readonly Cpu[]): string {
  if (cpu.length === 0) return '';
  const targets = [...new Set(cpu.map((own) => own.targets))];
  const names = [...new Set(cpu.map(({ by }) => by))];
  const lines = names.map((by) =>
    row(
      by,
      targets.flatMap((count) => {
        const own = cpu.find((one) => one.by === by && one.targets === count);
        return own === undefined ? ['–', '–'] : [own.chooseNs.toFixed(0), own.eventNs.toFixed(0)];
      }),
    ),
  );
  const head = targets.flatMap((count) => [`choose, ${count}`, `event, ${count}`]);
  return `\nCPU in ns by number of targets: of one choose, and of one event (choose, sent, settled, its part of the ticks)\n${row('', head)}${lines.join('')}`;
}

function verdictList(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map((verdict) => {
    const { what, value, withoutModel, clairvoyant, omniscient, atMost, seeds } = verdict;
    const held = holds(verdict);
    const word = held === undefined ? 'not measured' : held ? 'holds' : 'NOT REACHED';
    const off = withoutModel === undefined ? '' : `, model off ${interval(withoutModel)}`;
    const truth =
      clairvoyant === undefined || omniscient === undefined
        ? ''
        : `, clairvoyant ${interval(clairvoyant)}, omniscient ${interval(omniscient)}`;
    return `${word.padEnd(13)} ${what}: ${interval(value)} (≤ ${atMost}${off}${truth}, ${seeds} seeds)`;
  });
  return `\ngoals (they ask for 20 seeds of the families that are held out)\n${lines.join('\n')}\n`;
}

function interval(estimate: Estimate | undefined): string {
  if (estimate === undefined) return '–';
  const { value, low, high } = estimate;
  return `${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function row(name: string, columns: readonly string[], width = 12): string {
  return `${name.padEnd(NAME_WIDTH)}${columns.map((column) => column.padStart(width)).join('')}\n`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function sum<T>(values: readonly T[], figure: (value: T) => number): number {
  return values.reduce((total, value) => total + figure(value), 0);
}

function middle(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? '–' : (sorted[Math.floor(sorted.length / 2)] as number).toFixed(0);
}
