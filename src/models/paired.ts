import { type Losses, type LossName, lossesOf } from './metrics.ts';
import type { Dataset } from './training/dataset.ts';

/** Rows that follow each other are alike, so whole stretches of a target's rows are compared. */
const STRETCHES = 20;

/** By target: standard errors of the mean loss of scores less that of other scores, on the same rows. */
export type PairedErrors = Readonly<Record<string, Losses>>;

/**
 * How far chance takes the difference of two forecasts of the same rows, target by target. NaN where there are not two
 * stretches.
 *
 * @param data In order of time.
 */
export function pairedErrors(data: Dataset, scores: Float32Array, rival: Float32Array): PairedErrors {
  const rowsOf = data.targets.map((): number[] => []);
  for (let row = 0; row < data.rows; row += 1) rowsOf[data.target[row] as number]?.push(row);
  const found = data.targets.flatMap((name, at) => {
    const rows = rowsOf[at] as number[];
    if (rows.length === 0) return [];
    const length = Math.ceil(rows.length / STRETCHES);
    const stretches = Array.from({ length: Math.ceil(rows.length / length) }, (_, i) =>
      differenceOver(data, scores, rival, rows.slice(i * length, (i + 1) * length)),
    );
    const error = (loss: LossName): number => standardError(stretches.map((stretch) => stretch[loss]));
    return [[name, { logMae: error('logMae'), pinball: error('pinball'), logLoss: error('logLoss') }] as const];
  });
  return Object.fromEntries(found);
}

interface Sum {
  weight: number;
  difference: number;
}

type Stretch = Readonly<Record<LossName, Sum>>;

function differenceOver(data: Dataset, scores: Float32Array, rival: Float32Array, rows: readonly number[]): Stretch {
  const sum = (): Sum => ({ weight: 0, difference: 0 });
  const sums = { logMae: sum(), pinball: sum(), logLoss: sum() };
  for (const row of rows) {
    const [own, other] = [lossesOf(data, scores, row), lossesOf(data, rival, row)];
    for (const loss of ['logMae', 'pinball', 'logLoss'] as const) {
      const weight = loss === 'logLoss' ? own.weight : own.successes;
      if (weight === 0) continue;
      sums[loss].weight += weight;
      sums[loss].difference += weight * (own[loss] - other[loss]);
    }
  }
  return sums;
}

/** Of the weighted mean over stretches. */
function standardError(sums: readonly Sum[]): number {
  const told = sums.filter(({ weight }) => weight > 0);
  const weights = told.reduce((all, { weight }) => all + weight, 0);
  const mean = told.reduce((all, { difference }) => all + difference, 0) / weights;
  const squares = told.reduce((all, { weight, difference }) => all + (difference - weight * mean) ** 2, 0);
  return told.length < 2 ? Number.NaN : Math.sqrt((squares * told.length) / (told.length - 1)) / weights;
}
