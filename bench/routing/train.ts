import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Scorer } from '../../src/core/scorer.ts';
import { GATEWAY_SCHEMA } from '../../src/models/contract.ts';
import { ROOM_HEAD, writtenRoomHead } from '../../src/models/room-head.ts';
import type { LabelledRows } from '../../src/models/training/boost.ts';
import type { Dataset } from '../../src/models/training/dataset.ts';
import { scoreRows, type TrainedModel, train } from '../../src/models/training/train.ts';
import { FAMILIES, LENGTH } from '../../src/simulation/world/families.ts';
import type { Policy } from './policies.ts';
import { roomRows } from './room-rows.ts';
import { traces } from './traces.ts';
import { type TrainedRoom, trainRoom } from './train-room.ts';

export interface RoutingTraining {
  /** Of scenarios per family and round. */
  readonly seeds: number;
  /** The first learns from other policies' decisions, the others from what decisions by the model before led to as well. */
  readonly rounds: number;
  /** Where the model goes; the trees that tell rooms go beside it. */
  readonly out: string;
}

/** Seeds of the evaluation begin at 1, those of tuning at 101. */
const FIRST_SEED = 1_001;
const SAMPLE = 0.08;

/** Trains a model on the families that are not held out, in rounds, and writes the last one down. */
export function trainForRouting({ seeds, rounds, out }: RoutingTraining): void {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const families = FAMILIES.filter(({ heldOut }) => !heldOut);
  const length = LENGTH;
  const rooms: LabelledRows[] = [];
  let room: TrainedRoom | undefined;
  let data: Dataset | undefined;
  let trained: TrainedModel | undefined;
  for (let round = 0; round < rounds; round += 1) {
    const policies = round === 0 ? OTHERS : OWN;
    const firstSeed = FIRST_SEED + round * seeds;
    const scorer = trained === undefined ? undefined : scorerOf(trained);
    const source = { families, firstSeed, seeds, length, scorer };
    rooms.push(roomRows({ ...source, policies: round === 0 ? ADAPTIVE : OWN }));
    room = trainRoom(rooms);
    const more = traces({ ...source, policies, sample: SAMPLE, lookAhead: false });
    data = data === undefined ? more : joined(data, more);
    trained = train(data, GATEWAY_SCHEMA, { room: room.head });
    log(`round ${round}: ${more.rows} rows, ${data.rows} in all; ${figures(trained)}; ${room.said}`);
  }
  if (trained === undefined || room === undefined) throw new Error('no round, no model');
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, trained.onnx);
  const head = join(dirname(out), basename(fileURLToPath(ROOM_HEAD)));
  writeFileSync(head, writtenRoomHead(room.head));
  process.stdout.write(`${out}: ${trained.onnx.length} bytes; and ${head}\n`);
}

const policy = (by: Policy['by'], gateways = 1): Policy => ({ by, capacities: 'undeclared', gateways });
const OTHERS: readonly Policy[] = [
  policy('adaptive'),
  policy('p2c-ewma'),
  policy('adaptive', 3),
  policy('least-inflight'),
  policy('adaptive'),
];
const ADAPTIVE: readonly Policy[] = [policy('adaptive'), policy('adaptive'), policy('adaptive', 3)];
const OWN: readonly Policy[] = [policy('predictive'), policy('predictive'), policy('predictive', 3)];

/** The trees themselves: what the runtime answers is the same to 1e-5. */
function scorerOf({ model }: TrainedModel): Scorer {
  const { hash, features } = GATEWAY_SCHEMA;
  return {
    schemaHash: hash,
    score: (values, rows) => scoreRows(model, values.subarray(0, rows * features.length), features.length),
  };
}

/** Rows of the second after those of the first, in time as well. */
function joined(first: Dataset, second: Dataset): Dataset {
  const after = first.at.reduce((latest, at) => Math.max(latest, at), 0) + 1_000_000;
  const both = <A extends Float32Array | Float64Array | Int32Array>(a: A, b: A): A => {
    const all = new (a.constructor as new (length: number) => A)(a.length + b.length);
    all.set(a);
    all.set(b, a.length);
    return all;
  };
  return {
    rows: first.rows + second.rows,
    columns: first.columns,
    features: both(first.features, second.features),
    logMs: both(first.logMs, second.logMs),
    failed: both(first.failed, second.failed),
    weight: both(first.weight, second.weight),
    target: both(
      first.target,
      second.target.map((target) => target + first.targets.length),
    ),
    targets: [...first.targets, ...second.targets],
    at: both(
      first.at,
      second.at.map((at) => at + after),
    ),
    known: both(
      first.known,
      second.known.map((at) => at + after),
    ),
  };
}

function figures({ evaluation, baselines, trees }: TrainedModel): string {
  const least = (of: 'logMae' | 'pinball' | 'logLoss'): string =>
    `${of} ${evaluation.overall[of].toFixed(4)} (averages ${Math.min(...baselines.map(({ overall }) => overall[of])).toFixed(4)})`;
  return `${trees.mean}, ${trees.q95}, ${trees.fail} trees; ${least('logMae')}, ${least('pinball')}, ${least('logLoss')}`;
}
