import { weightedQuantile } from './quantile.ts';

/** What a head learns. Labels, weights and predictions go by row. */
export interface Loss {
  readonly name: string;
  /** The best constant prediction. */
  base(labels: Float32Array, weights: Float32Array): number;
  /** First and second derivative of the weighted loss by the prediction. */
  derive(
    labels: Float32Array,
    weights: Float32Array,
    predictions: Float32Array,
    gradients: Float64Array,
    hessians: Float64Array,
  ): void;
  /** Loss of one row. */
  of(label: number, prediction: number): number;
  /** What a leaf adds where that is not a Newton step, before shrinkage. */
  leaf?(rows: Uint32Array, residuals: Float64Array, weights: Float32Array): number;
}

/** The mean loss, by weight. */
export function meanLoss(
  loss: Loss,
  labels: Float32Array,
  weights: Float32Array,
  predictions: ArrayLike<number>,
): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < labels.length; row += 1) {
    const weight = weights[row] as number;
    sum += weight * loss.of(labels[row] as number, predictions[row] as number);
    total += weight;
  }
  return total === 0 ? Number.NaN : sum / total;
}

export const squared: Loss = {
  name: 'squared',
  base: (labels, weights) => weightedMean(labels, weights),
  derive(labels, weights, predictions, gradients, hessians) {
    for (let row = 0; row < labels.length; row += 1) {
      const weight = weights[row] as number;
      gradients[row] = weight * ((predictions[row] as number) - (labels[row] as number));
      hessians[row] = weight;
    }
  },
  of: (label, prediction) => 0.5 * (label - prediction) ** 2,
};

/** For the quantile `q` (Koenker and Bassett 1978). Its leaves are the quantile of their residuals. */
export function pinball(q: number): Loss {
  return {
    name: `pinball(${q})`,
    base(labels, weights) {
      const rows = Uint32Array.from(labels, (_, row) => row);
      return weightedQuantile(rows, Float64Array.from(labels), weights, q);
    },
    derive(labels, weights, predictions, gradients, hessians) {
      for (let row = 0; row < labels.length; row += 1) {
        const weight = weights[row] as number;
        gradients[row] = weight * ((labels[row] as number) < (predictions[row] as number) ? 1 - q : -q);
        hessians[row] = weight;
      }
    },
    of: (label, prediction) => (label < prediction ? (1 - q) * (prediction - label) : q * (label - prediction)),
    leaf: (rows, residuals, weights) => weightedQuantile(rows, residuals, weights, q),
  };
}

/** Cross entropy of labels in [0, 1]; predictions are log odds. */
export const logistic: Loss = {
  name: 'logistic',
  base(labels, weights) {
    // kept off 0 and 1, where the log odds have no end
    const share = Math.min(1 - 1e-4, Math.max(1e-4, weightedMean(labels, weights)));
    return Math.log(share / (1 - share));
  },
  derive(labels, weights, predictions, gradients, hessians) {
    for (let row = 0; row < labels.length; row += 1) {
      const weight = weights[row] as number;
      const p = sigmoid(predictions[row] as number);
      gradients[row] = weight * (p - (labels[row] as number));
      hessians[row] = weight * Math.max(p * (1 - p), 1e-6);
    }
  },
  of: (label, prediction) => softplus(prediction) - label * prediction,
};

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function softplus(x: number): number {
  return x > 30 ? x : Math.log1p(Math.exp(x));
}

function weightedMean(labels: Float32Array, weights: Float32Array): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < labels.length; row += 1) {
    sum += (weights[row] as number) * (labels[row] as number);
    total += weights[row] as number;
  }
  return total === 0 ? 0 : sum / total;
}
