import { firstMeasured, latenciesOf } from '../../src/simulation/figures.ts';
import type { SimModel } from '../../src/simulation/sim-model.ts';
import type { Length } from '../../src/simulation/world/draft.ts';
import { type Family, worldOf } from '../../src/simulation/world/families.ts';
import { type Estimate, ratio } from './compare.ts';
import type { Evaluation } from './evaluate.ts';
import { runPolicy } from './model.ts';
import { BASE, MODEL_OFF, MODEL_ON, type Policy } from './policies.ts';
import { policiesOf } from './report.ts';
import { type Mark, Svg } from './svg.ts';

const SHOWN: readonly Policy['by'][] = [BASE, 'c3', 'prequal', MODEL_OFF, MODEL_ON];
const COLOURS: Readonly<Record<string, string>> = {
  [BASE]: '#888888',
  c3: '#c58b1b',
  prequal: '#7d5ba6',
  [MODEL_OFF]: '#2b7bba',
  [MODEL_ON]: '#c0392b',
};

/** J over that of P2C peak EWMA by family, with intervals, capacities undeclared. */
export function familyPlot(evaluation: Evaluation): string {
  const { outcomes } = evaluation;
  const families = [...new Map(outcomes.map(({ family, heldOut }) => [family, heldOut]))];
  const policies = policiesOf(evaluation).filter(
    ({ by, capacities, gateways, truth }) =>
      SHOWN.includes(by) && by !== BASE && truth === undefined && capacities === 'undeclared' && gateways === 1,
  );
  const height = 22 + 12 * policies.length;
  const svg = new Svg(760, 60 + families.length * height);
  const x = (value: number): number => 180 + (560 * Math.log2(Math.min(4, Math.max(0.25, value)) / 0.25)) / 4;
  svg.text(10, 20, 'J over P2C peak EWMA by family (* held out), 95 % intervals; less is better');
  legend(
    svg,
    policies.map(({ by }) => by),
    40,
  );
  for (const tick of [0.25, 0.5, 1, 2, 4]) {
    svg.line(x(tick), 48, x(tick), 50 + families.length * height, tick === 1 ? '#444444' : '#dddddd');
    svg.text(x(tick) - 8, 58 + families.length * height, String(tick), 10);
  }
  for (const [row, [family, heldOut]] of families.entries()) {
    svg.text(10, 66 + row * height, `${heldOut ? '*' : ''}${family}`, 12);
    for (const [index, policy] of policies.entries()) {
      const base: Policy = { by: BASE, capacities: 'undeclared', gateways: 1 };
      const own = ratio(outcomes, policy, base, 'j', (name) => name === family) as Estimate;
      const y = 60 + row * height + index * 12;
      const colour = COLOURS[policy.by] as string;
      svg.line(x(own.low), y, x(own.high), y, colour, 2);
      svg.dot(x(own.value), y, 3.5, colour);
    }
  }
  return svg.toString();
}

const BIN_MS = 500;

/** Mean latency over time, failures at the timeout, in the scenario of the first seed of each family. */
export async function timePlots(
  families: readonly Family[],
  length: Length,
  model: SimModel | undefined,
): Promise<string> {
  const shown = SHOWN.filter((by) => by === BASE || by === MODEL_OFF || (by === MODEL_ON && model !== undefined));
  const columns = 3;
  const [width, height] = [250, 130];
  const svg = new Svg(columns * width + 20, 50 + Math.ceil(families.length / columns) * height);
  svg.text(10, 20, 'mean latency over time, ms (logarithmic, 1 to 2,000); first seed');
  legend(svg, shown, 38);
  for (const [index, family] of families.entries()) {
    const world = worldOf(family, 1, length);
    const left = 10 + (index % columns) * width;
    const top = 55 + Math.floor(index / columns) * height;
    svg.text(left, top + 10, family.name, 11);
    svg.box(left, top + 14, width - 16, height - 28);
    const span = world.horizonMs - world.warmUpMs;
    const y = (ms: number): number =>
      top + height - 14 - ((height - 28) * Math.log(Math.min(2_000, Math.max(1, ms)))) / Math.log(2_000);
    for (const level of [10, 100, 1_000]) svg.line(left, y(level), left + width - 16, y(level), '#eeeeee');
    for (const by of shown) {
      const run = await runPolicy(world, { by, capacities: 'undeclared', gateways: 1 }, model);
      const latencies = latenciesOf(run);
      const first = firstMeasured(world);
      const bins = Array.from({ length: Math.ceil(span / BIN_MS) }, () => ({ sum: 0, count: 0 }));
      for (const [n, latency] of latencies.entries()) {
        const bin = bins[Math.floor(((world.at[first + n] as number) - world.warmUpMs) / BIN_MS)];
        if (bin === undefined) continue;
        bin.sum += latency;
        bin.count += 1;
      }
      const marks = bins.flatMap(({ sum, count }, bin): Mark[] =>
        count === 0 ? [] : [[left + ((bin + 0.5) * BIN_MS * (width - 16)) / span, y(sum / count)]],
      );
      svg.path(marks, COLOURS[by] as string);
    }
  }
  return svg.toString();
}

function legend(svg: Svg, names: readonly string[], y: number): void {
  for (const [index, name] of names.entries()) {
    svg.dot(16 + index * 110, y - 4, 4, COLOURS[name] as string);
    svg.text(24 + index * 110, y, name, 11);
  }
}
