import { FEATURE_COUNT, FEATURES, ROOM } from '../../src/models/features.ts';
import { BOOST_DEFAULTS, boost, type LabelledRows } from '../../src/models/training/boost.ts';
import { squared } from '../../src/models/training/loss.ts';
import { type Ensemble, predict } from '../../src/models/training/tree.ts';

const OPTIONS = { ...BOOST_DEFAULTS, subsample: 0.7, columnSample: 0.7, minLeaf: 200 };
/** Of the rows, the last ones, which only measure. Seeds follow one another, so these are of other worlds. */
const TEST_SHARE = 0.1;

export interface TrainedRoom {
  readonly head: Ensemble;
  /** Trees, and root mean squares of what is left of the difference between truth and arithmetic. */
  readonly said: string;
}

/** Learns rooms from rows of several rounds. */
export function trainRoom(rounds: readonly LabelledRows[]): TrainedRoom {
  const parts = rounds.map((rows) => split(rows));
  const [train, test] = [joined(parts.map(([a]) => a)), joined(parts.map(([, b]) => b))];
  const trees = boost(train, undefined, FEATURE_COUNT, squared, OPTIONS);
  const told = predict(trees, test.features, FEATURE_COUNT);
  const rms = (of: (i: number) => number): string =>
    Math.sqrt(test.labels.reduce((sum, _, i) => sum + of(i) ** 2, 0) / test.labels.length).toFixed(3);
  const off = rms((i) => (test.labels[i] as number) - (told[i] as number));
  return {
    head: { ...trees, relativeTo: FEATURES.findIndex(({ name }) => name === ROOM) },
    said: `room ${trees.trees.length} trees; off by ${off} (arithmetic ${rms((i) => test.labels[i] as number)})`,
  };
}

function split({ features, labels, weights }: LabelledRows): readonly [LabelledRows, LabelledRows] {
  const from = Math.round(labels.length * (1 - TEST_SHARE));
  const part = (a: number, b: number): LabelledRows => ({
    features: features.subarray(a * FEATURE_COUNT, b * FEATURE_COUNT),
    labels: labels.subarray(a, b),
    weights: weights.subarray(a, b),
  });
  return [part(0, from), part(from, labels.length)];
}

function joined(parts: readonly LabelledRows[]): LabelledRows {
  const all = (of: (part: LabelledRows) => Float32Array): Float32Array => {
    const values = new Float32Array(parts.reduce((sum, part) => sum + of(part).length, 0));
    let at = 0;
    for (const part of parts) {
      values.set(of(part), at);
      at += of(part).length;
    }
    return values;
  };
  return { features: all((p) => p.features), labels: all((p) => p.labels), weights: all((p) => p.weights) };
}
