import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FeatureSchema } from '../src/models/contract.ts';
import { readRoomHead } from '../src/models/room-head.ts';
import { loadModel } from '../src/models/scorer.ts';
import { BOOST_DEFAULTS, boost } from '../src/models/training/boost.ts';
import { type Loss, logistic, pinball, squared } from '../src/models/training/loss.ts';
import { seededRandom } from '../src/models/training/random.ts';
import { scoreRows, type TrainedModel, train } from '../src/models/training/train.ts';
import { predict } from '../src/models/training/tree.ts';
import { median } from './stats.ts';

interface TrainingRow {
  readonly loss: string;
  readonly cpuSeconds: number;
  readonly seconds: number;
  /** Share of the variance that is explained; of the squared loss only. */
  readonly r2: number | undefined;
}

interface ScoringRow {
  readonly rows: number;
  /** Microseconds: the runtime's median and 0.99 quantile, the same trees in JavaScript, a round trip to a worker. */
  readonly p50: number;
  readonly p99: number;
  readonly inJavaScript: number;
  readonly workerTrip: number;
}

export interface TrainingFigures {
  readonly training: readonly TrainingRow[];
  readonly scoring: readonly ScoringRow[];
  /** Milliseconds to check, make and warm a session. */
  readonly loadMs: number;
  readonly modelBytes: number;
}

const COLUMNS = 16;

/** What training costs (100 trees of six levels) and what a run of the largest model that is trained by default costs. */
export async function benchTraining(rows: number, runs: number): Promise<TrainingFigures> {
  const training = [squared, pinball(0.95), logistic].map((loss) => trainOnce(rows, loss));
  const { schema, model } = fullModel();
  const loads: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const start = performance.now();
    const scorer = await loadModel(model.onnx, { schema });
    loads.push(performance.now() - start);
    await scorer.close();
  }
  const scoring: ScoringRow[] = [];
  for (const count of [2, 8, 64, 256]) scoring.push(await scoreOnce(schema, model, count, runs));
  return { training, scoring, loadMs: median(loads), modelBytes: model.onnx.length };
}

function randomRows(rows: number, columns: number): { features: Float32Array; labels: Float32Array } {
  const random = seededRandom(3);
  const features = Float32Array.from({ length: rows * columns }, random);
  const labels = Float32Array.from({ length: rows }, (_, row) => {
    const x = (column: number): number => features[row * columns + column] as number;
    const step = x(1) > 0.5 ? 2 * x(2) : -x(3);
    return 3 * Math.sin(6 * x(0)) + step + 4 * x(4) * x(5) + 0.1 * (random() + random() - 1);
  });
  return { features, labels };
}

function trainOnce(rows: number, loss: Loss): TrainingRow {
  const { features, labels: curve } = randomRows(rows, COLUMNS);
  const labels = loss === logistic ? curve.map((y) => (y > 3 ? 1 : 0)) : curve;
  const weights = new Float32Array(rows).fill(1);
  const options = { ...BOOST_DEFAULTS, trees: 100, maxDepth: 6, subsample: 1 };
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const model = boost({ features, labels, weights }, undefined, COLUMNS, loss, options);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1_000;
  const r2 = loss === squared ? explained(labels, predict(model, features, COLUMNS)) : undefined;
  return { loss: loss.name, cpuSeconds: (user + system) / 1e6, seconds, r2 };
}

function explained(labels: Float32Array, predicted: Float32Array): number {
  const mean = labels.reduce((sum, y) => sum + y, 0) / labels.length;
  let [rest, all] = [0, 0];
  for (const [i, y] of labels.entries()) {
    rest += (y - (predicted[i] as number)) ** 2;
    all += (y - mean) ** 2;
  }
  return 1 - rest / all;
}

/** Three parts of 60 trees with five levels, none of them stopped early; for the gateway's features with the trees that tell rooms. */
export function fullModel(of?: FeatureSchema): { schema: FeatureSchema; model: TrainedModel } {
  const [rows, columns] = [20_000, of?.features.length ?? 23];
  const { features, labels } = randomRows(rows, columns);
  const failed = labels.map((y) => (y > 5 ? 1 : 0));
  const at = Float64Array.from(labels.keys());
  const specs = Array.from({ length: columns }, (_, i) => {
    return { name: `f${i}`, unit: '1', scale: 'linear' as const, clip: [0, 1] as const, default: -1 };
  });
  const schema = of ?? { features: specs, hash: 'bench' };
  const model = train(
    {
      rows,
      columns,
      features,
      logMs: labels.map((y, i) => (failed[i] === 1 ? Number.NaN : y)),
      failed,
      weight: new Float32Array(rows).fill(1),
      target: new Int32Array(rows),
      targets: ['one'],
      at,
      known: at,
    },
    schema,
    { patience: 60, gapMs: 0, room: of && readRoomHead(of.hash) },
  );
  return { schema, model };
}

async function scoreOnce(
  schema: FeatureSchema,
  { onnx, model }: TrainedModel,
  rows: number,
  runs: number,
): Promise<ScoringRow> {
  const columns = schema.features.length;
  const { features } = randomRows(rows, columns);
  const scorer = await loadModel(onnx, { schema });
  const worker = new Worker(
    "const { parentPort: p } = require('node:worker_threads'); p.on('message', (m) => p.postMessage(m));",
    {
      eval: true,
    },
  );
  const times: Record<'runtime' | 'script' | 'trip', number[]> = { runtime: [], script: [], trip: [] };
  for (let run = 0; run < runs; run += 1) {
    times.runtime.push(await micros(() => scorer.score(features, rows)));
    times.script.push(await micros(() => scoreRows(model, features, columns)));
    times.trip.push(
      await micros(() => {
        worker.postMessage(features);
        return once(worker, 'message');
      }),
    );
  }
  await worker.terminate();
  await scorer.close();
  const sorted = times.runtime.sort((a, b) => a - b);
  return {
    rows,
    p50: median(sorted),
    p99: sorted[Math.floor(sorted.length * 0.99)] as number,
    inJavaScript: median(times.script),
    workerTrip: median(times.trip),
  };
}

async function micros(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1_000;
}

/** The figures as lines for people. */
export function trainingText({ training, scoring, loadMs, modelBytes }: TrainingFigures): string {
  const cell = (value: number, digits: number): string => value.toFixed(digits).padStart(9);
  return [
    'training         CPU s    wall s       R²',
    ...training.map(({ loss, cpuSeconds, seconds, r2 }) => {
      const last = r2 === undefined ? '' : cell(r2, 4);
      return `${loss.padEnd(13)}${cell(cpuSeconds, 1)} ${cell(seconds, 1)}${last}`;
    }),
    '',
    `a model of ${modelBytes} bytes: checked, loaded and warmed in ${loadMs.toFixed(0)} ms`,
    'rows       p50 µs    p99 µs  in JS µs   trip to a worker µs',
    ...scoring.map((row) => {
      const cells = [row.p50, row.p99, row.inJavaScript, row.workerTrip].map((value) => cell(value, 0));
      return `${String(row.rows).padEnd(7)}${cells.join(' ')}`;
    }),
    '',
  ].join('\n');
}
