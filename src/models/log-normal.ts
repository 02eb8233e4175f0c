/** Quantile of the normal distribution at 0.95. */
const Z95 = 1.645;

/** Mean of a log-normal number by the mean and the 0.95 quantile of its logarithm: above the median by what its spread has. */
export function meanOf(meanLog: number, q95Log: number): number {
  const spread = Math.min(Z95, Math.max(0, (q95Log - meanLog) / Z95));
  return Math.exp(meanLog + (spread * spread) / 2);
}
