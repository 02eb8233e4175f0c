import type { Random } from '../../core/clock.ts';

/** Two different ones of `count` at random (Mitzenmacher 2000): `first × count + second`. */
export function drawTwo(count: number, random: Random): number {
  const first = Math.floor(random() * count);
  const other = Math.floor(random() * (count - 1));
  return first * count + (other < first ? other : other + 1);
}

/**
 * Probability with which `at` has the lower score of two that are drawn. Of two alike the first drawn is taken, which is
 * either of them with the same probability.
 */
export function betterOfTwoPropensity(scores: Float64Array, count: number, at: number): number {
  const score = scores[at] as number;
  let wins = 0;
  for (let i = 0; i < count; i += 1) {
    if (i === at) continue;
    const other = scores[i] as number;
    if (score < other) wins += 1;
    else if (score === other) wins += 0.5;
  }
  return (2 * wins) / (count * (count - 1));
}

/** The least, at random among equals, with the probability of that. */
export function least(scores: Float64Array, count: number, random: Random): { at: number; propensity: number } {
  let best = scores[0] as number;
  let equals = 0;
  for (let i = 0; i < count; i += 1) {
    const score = scores[i] as number;
    if (score < best) {
      best = score;
      equals = 1;
    } else if (score === best) equals += 1;
  }
  let skip = equals === 1 ? 0 : Math.floor(random() * equals);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (scores[i] !== best) continue;
    at = i;
    if (skip === 0) break;
    skip -= 1;
  }
  LEAST.at = at;
  LEAST.propensity = 1 / equals;
  return LEAST;
}

const LEAST = { at: 0, propensity: 1 };
