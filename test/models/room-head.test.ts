import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEATURE_COUNT, FEATURES, ROOM, SCHEMA_HASH } from '../../src/models/features.ts';
import { ROOM_HEAD, readRoomHead, writtenRoomHead } from '../../src/models/room-head.ts';
import { BOOST_DEFAULTS, boost } from '../../src/models/training/boost.ts';
import { squared } from '../../src/models/training/loss.ts';
import { type Ensemble, predict } from '../../src/models/training/tree.ts';
import { seeded } from '../setup/seeded.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-room-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function stored(text: string): URL {
  const file = join(folder, 'room.json');
  writeFileSync(file, text);
  return pathToFileURL(file);
}

function learned(): { head: Ensemble; features: Float32Array } {
  const random = seeded(5);
  const rows = 2_000;
  const features = Float32Array.from({ length: rows * FEATURE_COUNT }, () => random());
  const labels = Float32Array.from({ length: rows }, (_, row) => (features[row * FEATURE_COUNT] as number) - 0.5);
  const weights = new Float32Array(rows).fill(1);
  const trees = boost({ features, labels, weights }, undefined, FEATURE_COUNT, squared, {
    ...BOOST_DEFAULTS,
    trees: 5,
  });
  return { head: { ...trees, relativeTo: FEATURES.findIndex(({ name }) => name === ROOM) }, features };
}

describe('the trees that tell rooms', () => {
  it('come with the gateway, for the features of this version', () => {
    expect(readRoomHead(SCHEMA_HASH)?.trees.length).toBeGreaterThan(10);
  });

  it('say the same after they were written down', () => {
    const { head, features } = learned();
    const read = readRoomHead(SCHEMA_HASH, stored(writtenRoomHead(head)));
    expect(read && [...predict(read, features, FEATURE_COUNT)]).toEqual([...predict(head, features, FEATURE_COUNT)]);
  });

  it('are none where there is no file, or one for other features', () => {
    expect(readRoomHead(SCHEMA_HASH, new URL('none.json', ROOM_HEAD))).toBeUndefined();
    const other = writtenRoomHead(learned().head).replace(SCHEMA_HASH, '0'.repeat(64));
    expect(readRoomHead(SCHEMA_HASH, stored(other))).toBeUndefined();
  });

  it('are refused where the file is broken', () => {
    for (const text of ['{', 'null', '{}', `{"schema":"${SCHEMA_HASH}","base":0}`])
      expect(() => readRoomHead(SCHEMA_HASH, stored(text))).toThrowError(
        expect.objectContaining({ code: 'E_MODEL_DATA' }),
      );
  });
});
