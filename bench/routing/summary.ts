import type { Figures } from '../../src/simulation/figures.ts';
import { of } from './compare.ts';
import type { Evaluation } from './evaluate.ts';
import { policiesOf } from './report.ts';

/** Figures by policy and family, one number per seed and four significant digits: small enough to be kept. */
export function summaryOf(evaluation: Evaluation): object {
  const { outcomes, bounds } = evaluation;
  const families = [...new Set(outcomes.map(({ family }) => family))];
  const runs = policiesOf(evaluation).flatMap((policy) =>
    families.map((family) => {
      const all = of(outcomes, policy, (name) => name === family);
      const column = (figure: (of: Figures) => number): readonly number[] => all.map((own) => digits(figure(own)));
      return {
        ...policy,
        family,
        j: column(({ j }) => j),
        p50Ms: column(({ p50Ms }) => p50Ms),
        p99Ms: column(({ p99Ms }) => p99Ms),
        p999Ms: column(({ p999Ms }) => p999Ms),
        slo: column(({ slo }) => slo),
        failed: column(({ failed }) => failed),
        duplicates: column(({ duplicates }) => duplicates),
        reorderings: column(({ reorderings }) => reorderings),
        costPerEvent: column(({ costPerEvent }) => costPerEvent),
        switchRate: column(({ switchRate }) => switchRate),
        divertMs: all.flatMap(({ divertMs }) => divertMs.map(digits)),
        recoverMs: all.flatMap(({ recoverMs }) => recoverMs.map(digits)),
      };
    }),
  );
  return {
    runs,
    bounds: families.map((family) => {
      const own = bounds.filter((bound) => bound.family === family);
      return {
        family,
        fluid: own.map(({ fluid }) => digits(fluid)),
        noQueue: own.map(({ noQueue }) => digits(noQueue)),
      };
    }),
  };
}

function digits(value: number): number {
  return Number(value.toPrecision(4));
}
