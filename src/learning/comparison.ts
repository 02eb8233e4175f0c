/** Whether one mean is above another by more than chance. */
export interface Comparison {
  /** Of the second sample, less that of the first. */
  readonly difference: number;
  /**
   * It is above `lower` with 99 % confidence, and below `upper` with 95 % (Student's test with a common variance: of three
   * observations that happen to be alike the variance alone would prove anything).
   */
  readonly lower: number;
  readonly upper: number;
}

/** Undefined where a sample has fewer than two observations. */
export function compare(first: readonly number[], second: readonly number[]): Comparison | undefined {
  const [a, b] = [moments(first), moments(second)];
  if (a.count < 2 || b.count < 2) return undefined;
  const freedom = a.count + b.count - 2;
  const variance = ((a.count - 1) * a.variance + (b.count - 1) * b.variance) / freedom;
  const difference = b.mean - a.mean;
  const error = Math.sqrt(variance * (1 / a.count + 1 / b.count));
  if (error === 0) return { difference, lower: difference, upper: difference };
  const reach = (z: number): number => student(z, freedom) * error;
  return { difference, lower: difference - reach(Z99), upper: difference + reach(Z95) };
}

/** Mean and variance of a sample; NaN where it has too few. */
export function moments(sample: readonly number[]): { count: number; mean: number; variance: number } {
  const count = sample.length;
  const mean = sample.reduce((sum, value) => sum + value, 0) / count;
  const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { count, mean, variance };
}

const Z95 = 1.6449;
const Z99 = 2.3263;

/** The quantile of Student's t for one of the normal distribution (Cornish and Fisher; Abramowitz and Stegun 26.7.5). */
function student(z: number, freedom: number): number {
  const n = Math.max(1, freedom);
  const [z3, z5, z7] = [z ** 3, z ** 5, z ** 7];
  return (
    z +
    (z3 + z) / (4 * n) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * n ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n ** 3)
  );
}
