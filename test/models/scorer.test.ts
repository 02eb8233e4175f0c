import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { METADATA_KEY } from '../../src/models/contract.ts';
import { exportOnnx } from '../../src/models/onnx/export.ts';
import { inspectOnnx } from '../../src/models/onnx/inspect.ts';
import { fieldsOf } from '../../src/models/onnx/reader.ts';
import { BYTES, MessageWriter, VARINT } from '../../src/models/onnx/writer.ts';
import { loadModel } from '../../src/models/scorer.ts';
import { scoreRows, type TrainedModel, train } from '../../src/models/training/train.ts';
import { seeded } from '../setup/seeded.ts';
import { plainSchema, syntheticRows } from './synthetic.ts';

const COLUMNS = 6;
const schema = plainSchema(COLUMNS);
let trained: TrainedModel;

beforeAll(() => {
  trained = train(syntheticRows(6_000), schema, { trees: 20 });
});

/** The model with one field of ModelProto, GraphProto (7) or of its first node (7, 1) replaced or added. */
function changed(path: readonly number[], field: number, make: (writer: MessageWriter) => void, file = trained.onnx) {
  const rewrite = (message: Buffer, rest: readonly number[]): Buffer => {
    const writer = new MessageWriter();
    let seen = false;
    for (const { number, wire, value, bytes } of fieldsOf(message)) {
      if (rest.length === 0 && number === field) continue;
      const first: boolean = !seen && number === rest[0];
      seen ||= first;
      if (first) writer.bytes(number, rewrite(bytes, rest.slice(1)));
      else if (wire === VARINT) writer.int(number, value);
      else if (wire === BYTES) writer.bytes(number, bytes);
    }
    if (rest.length === 0) make(writer);
    return writer.finish();
  };
  return rewrite(file, path);
}

function withMetadata(change: (metadata: Record<string, unknown>) => void): Buffer {
  const metadata = structuredClone(trained.metadata) as unknown as Record<string, unknown>;
  change(metadata);
  return changed([], 14, (w) =>
    w.message(14, new MessageWriter().text(1, METADATA_KEY).text(2, JSON.stringify(metadata))),
  );
}

test('the runtime answers what the trees answer, also for missing, infinite and border values', async () => {
  const random = seeded(11);
  const rows = 4_000;
  const borders = [...trained.model.mean.trees, ...trained.model.fail.trees].flatMap((tree) => [...tree.threshold]);
  const features = Float32Array.from({ length: rows * COLUMNS }, () => {
    const kind = random();
    if (kind < 0.1) return Number.NaN;
    if (kind < 0.12) return kind < 0.11 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    if (kind < 0.4) return borders[Math.floor(random() * borders.length)] as number;
    return random() * 1.4 - 0.2;
  });
  const scorer = await loadModel(trained.onnx, { schema });
  const [theirs, ours] = [await scorer.score(features, rows), scoreRows(trained.model, features, COLUMNS)];
  await scorer.close();
  for (let i = 0; i < ours.length; i += 1)
    expect(Math.abs((theirs[i] as number) - (ours[i] as number))).toBeLessThanOrEqual(1e-5);
});

test('a model of constants alone is one, too', async () => {
  const data = syntheticRows(10);
  const model = { mean: { base: 1.5, trees: [] }, q95: { base: 2.5, trees: [] }, fail: { base: 0, trees: [] } };
  const row = [...data.features.subarray(0, COLUMNS)].map((value) => (Number.isNaN(value) ? null : value));
  const metadata = { ...trained.metadata, golden: { features: [row], scores: [[1.5, 2.5, 0.5]] } };
  const scorer = await loadModel(exportOnnx(model, metadata), { schema });
  expect([...(await scorer.score(data.features, 2))]).toEqual([1.5, 2.5, 0.5, 1.5, 2.5, 0.5]);
  await scorer.close();
});

describe('a model that tells rooms', () => {
  const withRoom = (): TrainedModel => train(syntheticRows(6_000), schema, { trees: 3, room: trained.model.mean });

  test('gives them behind the scores, as its trees do', async () => {
    const made = withRoom();
    const { features } = syntheticRows(200);
    const scorer = await loadModel(made.onnx, { schema });
    const [theirs, ours] = [await scorer.score(features, 200), scoreRows(made.model, features, COLUMNS)];
    await scorer.close();
    expect(theirs).toHaveLength(4 * 200);
    for (let i = 0; i < ours.length; i += 1)
      expect(Math.abs((theirs[i] as number) - (ours[i] as number))).toBeLessThanOrEqual(1e-5);
  });

  test('is refused where they are not what it says of golden rows', async () => {
    const { model, metadata } = withRoom();
    const [first, ...others] = metadata.golden.rooms ?? [];
    const golden = { ...metadata.golden, rooms: [(first as number) + 0.1, ...others] };
    const file = exportOnnx(model, { ...metadata, golden });
    await expect(loadModel(file, { schema })).rejects.toMatchObject({ code: 'E_MODEL_GOLDEN' });
  });

  test('is refused where it says nothing of them in its golden rows', async () => {
    const { model, metadata } = withRoom();
    const { rooms: _, ...golden } = metadata.golden;
    const file = exportOnnx(model, { ...metadata, golden });
    await expect(loadModel(file, { schema })).rejects.toMatchObject({ code: 'E_MODEL_METADATA' });
  });

  test('is refused where its second output is another one', async () => {
    const { onnx } = withRoom();
    const renamed = Buffer.from(onnx.toString('latin1').replaceAll('log_room', 'log_rume'), 'latin1');
    await expect(loadModel(renamed, { schema })).rejects.toMatchObject({ code: 'E_MODEL_SHAPE' });
  });
});

test('metadata come back out of the file', async () => {
  const sha256 = createHash('sha256').update(trained.onnx).digest('hex');
  const scorer = await loadModel(trained.onnx, { schema, sha256: sha256.toUpperCase() });
  expect(scorer.metadata).toEqual(JSON.parse(JSON.stringify(trained.metadata)));
  expect([scorer.sha, scorer.schemaHash, scorer.columns]).toEqual([sha256, schema.hash, COLUMNS]);
  expect(inspectOnnx(trained.onnx).operators).toEqual(
    new Set(['ai.onnx.ml:TreeEnsembleRegressor', 'Sigmoid', 'Concat']),
  );
  await scorer.close();
  await expect(scorer.score(new Float32Array(COLUMNS), 1)).rejects.toMatchObject({ code: 'E_MODEL_CLOSED' });
});

describe('a model is refused', () => {
  const refused = async (file: Buffer, code: string, rules = {}): Promise<void> => {
    await expect(loadModel(file, { schema, ...rules })).rejects.toMatchObject({ code });
  };

  test('whose bytes are not those that were asked for', () =>
    refused(trained.onnx, 'E_MODEL_PIN', { sha256: '0'.repeat(64) }));

  test('that is too large', () => refused(trained.onnx, 'E_MODEL_TOO_LARGE', { maxBytes: 1_000 }));

  test('that is cut off, or no model at all', async () => {
    await refused(trained.onnx.subarray(0, trained.onnx.length >> 1), 'E_MODEL_FORMAT');
    await refused(Buffer.from('<html>not a model</html>'), 'E_MODEL_FORMAT');
    await refused(Buffer.alloc(0), 'E_MODEL_FORMAT');
  });

  test('that keeps weights elsewhere', () => {
    const external = new MessageWriter().text(8, 'w').int(14, 1);
    return refused(
      changed([7], 5, (w) => w.message(5, external)),
      'E_MODEL_EXTERNAL',
    );
  });

  test('that uses an operator that is not allowed, in whatever depth', async () => {
    const loop = new MessageWriter().text(1, 'x').text(2, 'y').text(4, 'Loop');
    await refused(
      changed([7, 1], 4, (w) => w.text(4, 'Loop')),
      'E_MODEL_OPERATOR',
    );
    await refused(
      changed([7, 1], 7, (w) => w.text(7, 'com.example')),
      'E_MODEL_OPERATOR',
    );
    const nested = new MessageWriter().text(1, 'body').int(20, 5).message(6, new MessageWriter().message(1, loop));
    await refused(
      changed([7, 1], 99, (w) => w.message(5, nested)),
      'E_MODEL_OPERATOR',
    );
    await refused(
      changed([], 25, (w) => w.message(25, new MessageWriter().text(1, 'f'))),
      'E_MODEL_OPERATOR',
    );
  });

  test('with too many nodes', () =>
    refused(
      changed([7], 99, (w) => {
        for (let i = 0; i < 300; i += 1) w.message(1, new MessageWriter().text(4, 'Identity'));
      }),
      'E_MODEL_TOO_LARGE',
    ));

  test('that says nothing of itself, or nonsense', async () => {
    await refused(
      changed([], 14, () => undefined),
      'E_MODEL_METADATA',
    );
    await refused(
      withMetadata((m) => {
        m['contract'] = 2;
      }),
      'E_MODEL_METADATA',
    );
    await refused(
      withMetadata((m) => {
        m['golden'] = { features: [], scores: [] };
      }),
      'E_MODEL_METADATA',
    );
    await refused(
      withMetadata((m) => {
        m['golden'] = { features: [[1, 2]], scores: [[1, 2, 3]] };
      }),
      'E_MODEL_METADATA',
    );
  });

  test('that was trained on other features', async () => {
    await expect(loadModel(trained.onnx, { schema: plainSchema(7, 'of-seven') })).rejects.toThrow(/it lacks f6/);
    await refused(trained.onnx, 'E_MODEL_SCHEMA', { schema: plainSchema(COLUMNS, 'other') });
  });

  test('that does not reproduce its golden rows', () =>
    refused(
      withMetadata((m) => {
        ((m['golden'] as { scores: number[][] }).scores[0] as number[])[0] = 3;
      }),
      'E_MODEL_GOLDEN',
    ));

  test('whose tensors have another shape', async () => {
    const info = (name: string, type: number, columns: number): MessageWriter => {
      const shape = new MessageWriter()
        .message(1, new MessageWriter().text(2, 'N'))
        .message(1, new MessageWriter().int(1, columns));
      const tensor = new MessageWriter().int(1, type).message(2, shape);
      return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor));
    };
    await refused(
      changed([7], 12, (w) => w.message(12, info('scores', 1, 2))),
      'E_MODEL_SHAPE',
    );
    await refused(
      changed([7], 11, (w) => w.message(11, info('features', 11, COLUMNS))),
      'E_MODEL_SHAPE',
    );
    await refused(
      changed([7], 11, (w) => w.message(11, info('x', 1, COLUMNS))),
      'E_MODEL_SHAPE',
    );
  });

  test('that is damaged in any byte that matters, without ever harming the process', async () => {
    const random = seeded(5);
    const untouched = await loadModel(trained.onnx, { schema });
    const features = syntheticRows(50, COLUMNS, 9).features;
    const right = await untouched.score(features, 50);
    await untouched.close();
    for (let i = 0; i < 60; i += 1) {
      const file = Buffer.from(trained.onnx);
      file[Math.floor(random() * file.length)] = Math.floor(random() * 256);
      const loaded = await loadModel(file, { schema }).catch((error: { code: string }) => error.code);
      if (typeof loaded === 'string') expect(loaded).toMatch(/^E_MODEL_/);
      else {
        const scores = await loaded.score(features, 50).catch((error: { code: string }) => error.code);
        if (typeof scores === 'string') expect(scores).toBe('E_MODEL_OUTPUT');
        else expect(scores.length).toBe(right.length);
        await loaded.close();
      }
    }
  });
});

test('scores that cannot be are an error, not an answer', async () => {
  const golden = { features: [new Array(COLUMNS).fill(0)], scores: [[1, 1, 0.5]] };
  const model = { mean: { base: 1, trees: [] }, q95: { base: 1, trees: [] }, fail: { base: 0, trees: [] } };
  const wild = { ...model, mean: { base: 1_000, trees: [] } };
  const file = exportOnnx(wild, { ...trained.metadata, golden });
  await expect(loadModel(file, { schema })).rejects.toMatchObject({ code: 'E_MODEL_OUTPUT' });
  const nan = exportOnnx({ ...model, q95: { base: Number.NaN, trees: [] } }, { ...trained.metadata, golden });
  await expect(loadModel(nan, { schema })).rejects.toThrow('a score of the model is NaN (log_ms_q95)');
});
