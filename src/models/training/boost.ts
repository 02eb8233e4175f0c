import type { Random } from '../../core/clock.ts';
import { binBounds, binned } from './bins.ts';
import { Grower } from './grow.ts';
import { type Loss, meanLoss } from './loss.ts';
import { seededRandom } from './random.ts';
import type { Sums } from './split.ts';
import { addBinned, type Ensemble, type Tree } from './tree.ts';

export interface BoostOptions {
  /** Most trees; default 60. */
  readonly trees: number;
  /** Default 5. */
  readonly maxDepth: number;
  /** Share of a tree's correction that is taken; default 0.15. */
  readonly shrinkage: number;
  /** Share of the rows that each tree sees; default 0.8. */
  readonly subsample: number;
  /** Share of the columns that each tree sees; default 1. */
  readonly columnSample: number;
  /** Least rows of a leaf; default 80. */
  readonly minLeaf: number;
  readonly lambda: number;
  readonly minGain: number;
  /** Trees without a better validation loss before it stops; default 10. */
  readonly patience: number;
  readonly seed: number;
}

export const BOOST_DEFAULTS: BoostOptions = {
  trees: 60,
  maxDepth: 5,
  shrinkage: 0.15,
  subsample: 0.8,
  columnSample: 1,
  minLeaf: 80,
  lambda: 1,
  minGain: 1e-6,
  patience: 10,
  seed: 1,
};

/** Labelled rows of one head. */
export interface LabelledRows {
  /** `[rows, columns]`. */
  readonly features: Float32Array;
  readonly labels: Float32Array;
  readonly weights: Float32Array;
  /** What the trees start from instead of a constant, by row. */
  readonly start?: Float32Array | undefined;
}

export interface BoostProgress {
  readonly trees: number;
  readonly of: number;
  /** Mean losses by weight. */
  readonly trainLoss: number;
  readonly validLoss: number | undefined;
}

/**
 * Gradient-boosted trees on histograms (Friedman 2001; Ke et al. 2017). The same rows and seed give the same trees. With
 * `valid`, the trees up to the least validation loss are kept.
 */
export function boost(
  train: LabelledRows,
  valid: LabelledRows | undefined,
  columns: number,
  loss: Loss,
  options: BoostOptions,
  onTree?: (progress: BoostProgress) => void,
): Ensemble {
  const random = seededRandom(options.seed);
  const { labels, weights } = { labels: train.labels, weights: unitMean(train.weights) };
  const rows = labels.length;
  const bounds = binBounds(train.features, rows, columns);
  const bins = binned(train.features, rows, bounds);
  const validBins = valid === undefined ? undefined : binned(valid.features, valid.labels.length, bounds);
  const grower = new Grower(bins, bounds, rows, options);
  const base = Math.fround(train.start === undefined ? loss.base(labels, weights) : shift(train, train.start, loss));
  const sums = Float32Array.from({ length: rows }, (_, row) => base + (train.start?.[row] ?? 0));
  const validSums = Float32Array.from(
    { length: valid?.labels.length ?? 0 },
    (_, row) => base + (valid?.start?.[row] ?? 0),
  );
  const gradients = new Float64Array(rows);
  const hessians = new Float64Array(rows);
  const residuals = new Float64Array(loss.leaf === undefined ? 0 : rows);
  const leafValue = (part: Uint32Array, { gradient, hessian }: Sums): number =>
    options.shrinkage * (loss.leaf?.(part, residuals, weights) ?? -gradient / (hessian + options.lambda));

  const trees: Tree[] = [];
  let best = { trees: 0, loss: valid === undefined ? 0 : meanLoss(loss, valid.labels, valid.weights, validSums) };
  while (rows > 0 && trees.length < options.trees) {
    loss.derive(labels, weights, sums, gradients, hessians);
    for (let row = 0; row < residuals.length; row += 1) {
      residuals[row] = (labels[row] as number) - (sums[row] as number);
    }
    const part = sample(rows, options.subsample, random);
    const tree = grower.grow(part, gradients, hessians, columnsOf(columns, options.columnSample, random), leafValue);
    trees.push(tree);
    addBinned(tree, bins, columns, sums);
    const progress = { trees: trees.length, of: options.trees, trainLoss: meanLoss(loss, labels, weights, sums) };
    if (valid === undefined || validBins === undefined) {
      onTree?.({ ...progress, validLoss: undefined });
      continue;
    }
    addBinned(tree, validBins, columns, validSums);
    const validLoss = meanLoss(loss, valid.labels, valid.weights, validSums);
    onTree?.({ ...progress, validLoss });
    if (validLoss < best.loss) best = { trees: trees.length, loss: validLoss };
    else if (trees.length - best.trees >= options.patience) break;
  }
  return { base, trees: valid === undefined || valid.labels.length === 0 ? trees : trees.slice(0, best.trees) };
}

/** The rows of one tree, in order. */
function sample(rows: number, share: number, random: Random): Uint32Array {
  const taken = new Uint32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row += 1) if (share >= 1 || random() < share) taken[count++] = row;
  return taken.subarray(0, count);
}

function columnsOf(columns: number, share: number, random: Random): Uint8Array {
  const used = new Uint8Array(columns);
  for (let column = 0; column < columns; column += 1) used[column] = share >= 1 || random() < share ? 1 : 0;
  return used;
}

/** Weights with mean 1, so that `lambda` means the same for any. */
function unitMean(weights: Float32Array): Float32Array {
  let total = 0;
  for (const weight of weights) total += weight;
  if (total <= 0) return weights;
  return weights.map((weight) => (weight * weights.length) / total);
}

/** The largest shift looked for; more than this apart no start is of any use. */
const MOST_SHIFT = 16;
const HALVINGS = 30;

/**
 * What to add to every start for the least loss, by halving where the derivative changes its sign. Without it a start that is
 * far off has next to no curvature, and the first Newton step would leap past the labels.
 */
function shift({ labels, weights }: LabelledRows, start: Float32Array, loss: Loss): number {
  const gradients = new Float64Array(labels.length);
  const hessians = new Float64Array(labels.length);
  let low = -MOST_SHIFT;
  let high = MOST_SHIFT;
  for (let n = 0; n < HALVINGS; n += 1) {
    const middle = (low + high) / 2;
    const predictions = start.map((value) => value + middle);
    loss.derive(labels, weights, predictions, gradients, hessians);
    if (gradients.reduce((sum, value) => sum + value, 0) > 0) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
