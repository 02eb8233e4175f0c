import { type Losses, type LossName, lossesOf } from './metrics.ts';
import type { Dataset } from './training/dataset.ts';

/** Rows that follow each other are alike, so whole stretches of a target's rows are compared. */
const STRETCHES = 20;

/** Standard errors of the mean loss of scores less that of other scores, on the same rows; NaN where there are not two stretches. */
export interface PairedErrors {
  readonly overall: Losses;
  readonly byTarget: Readonly<Record<string, Losses>>;
}

/** One-sided, 99 %, of Student's distribution for twenty stretches: a gate has as many checks as three times the targets. */
const T99 = 2.539;

/** How much worse a forecast may look by chance alone; 0 where that is not known. */
export function byChance(error: number | undefined): number {
  return error === undefined || Number.isNaN(error) ? 0 : T99 * error;
}

/**
 * How far chance takes the difference of two forecasts of the same rows.
 *
 * @param data In order of time.
 */
export function pairedErrors(data: Dataset, scores: Float32Array, rival: Float32Array): PairedErrors {
  const all: number[] = [];
  const rowsOf = data.targets.map((): number[] => []);
  for (let row = 0; row < data.rows; row += 1) {
    all.push(row);
    rowsOf[data.target[row] as number]?.push(row);
  }
  const errors = (rows: readonly number[]): Losses => {
    const length = Math.max(1, Math.ceil(rows.length / STRETCHES));
    const stretches = Array.from({ length: Math.ceil(rows.length / length) }, (_, i) =>
      differenceOver(data, scores, rival, rows.slice(i * length, (i + 1) * length)),
    );
    const error = (loss: LossName): number => standardError(stretches.map((stretch) => stretch[loss]));
    return { logMae: error('logMae'), pinball: error('pinball'), logLoss: error('logLoss') };
  };
  const seen = data.targets.flatMap((name, at) => {
    const rows = rowsOf[at] as number[];
    return rows.length === 0 ? [] : [[name, errors(rows)] as const];
  });
  return { overall: errors(all), byTarget: Object.fromEntries(seen) };
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
