import { SCORE_COLUMNS, type Scorer } from '../core/scorer.ts';
import { type GoldenRows, ROOM_NAME, SCORE_NAMES } from './contract.ts';

/** Logarithms of the least and the greatest latency, in ms, that a model may predict: a nanosecond and an hour. */
const LOG_MS = [Math.log(1e-6), Math.log(3_600_000)] as const;

/** What the logarithm of a room may be: trees may tell a little less than 0, which is believed to be a room of 1. */
const LOG_ROOM = [-5, 20] as const;

/** What is wrong with scores for `rows` rows: one is no number, or cannot be. */
export function scoreFault(scores: Float32Array, rows: number): string | undefined {
  const own = rows * SCORE_COLUMNS;
  if (scores.length !== own && scores.length !== own + rows) return `${scores.length} scores for ${rows} rows`;
  for (let i = own; i < scores.length; i += 1) {
    const room = scores[i] as number;
    if (!(room >= LOG_ROOM[0] && room <= LOG_ROOM[1])) return `a score of the model is ${room} (${ROOM_NAME})`;
  }
  for (let i = 0; i < own; i += 1) {
    const value = scores[i] as number;
    const column = i % SCORE_COLUMNS;
    const [least, most] = column === SCORE_COLUMNS - 1 ? [0, 1] : LOG_MS;
    // written so that NaN does not pass
    if (!(value >= least && value <= most)) return `a score of the model is ${value} (${SCORE_NAMES[column]})`;
  }
  return undefined;
}

/** The greatest difference between golden rows and what a model answers; NaN where an answer is no number. */
export async function goldenDifference(scorer: Pick<Scorer, 'score'>, golden: GoldenRows): Promise<number> {
  const features = Float32Array.from(golden.features.flat(), (value) => value ?? Number.NaN);
  const scores = await scorer.score(features, golden.features.length);
  let greatest = 0;
  for (const [i, wanted] of [...golden.scores.flat(), ...(golden.rooms ?? [])].entries()) {
    const difference = Math.abs((scores[i] as number) - wanted);
    if (Number.isNaN(difference)) return Number.NaN;
    greatest = Math.max(greatest, difference);
  }
  return greatest;
}
