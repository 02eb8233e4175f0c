import { expect, test } from 'vitest';
import type { Scorer } from '../../src/core/scorer.ts';
import { SELECTORS, type Selector, type SelectorConfig } from '../../src/core/selector.ts';
import { GATEWAY_SCHEMA } from '../../src/models/contract.ts';
import { EXPECTED, FEATURE_COUNT, FEATURES, SCHEMA_HASH } from '../../src/models/features.ts';
import { replayed } from '../../src/replaying.ts';
import { type RecentChoice, recentRecords } from '../../src/telemetry/recent.ts';
import { recordWorld, TARGETS_OF_WORLD } from '../models/recorded-world.ts';
import { seeded } from '../setup/seeded.ts';
import { directory } from '../telemetry/rig.ts';

const CONFIG: SelectorConfig = { by: 'adaptive', targets: TARGETS_OF_WORLD, explore: 0.05 };

const EXPECTED_COLUMN = FEATURES.findIndex(({ name }) => name === EXPECTED);

function replay(recorded: RecentChoice, scorer?: Scorer, config = CONFIG, until?: number): Promise<Selector> {
  return replayed({ config, scorer, share: 1, random: seeded(3), recorded, until, schema: GATEWAY_SCHEMA });
}

async function recordedWorld(seconds: number): Promise<RecentChoice> {
  const path = await directory();
  await recordWorld(path, seconds);
  const recent = await recentRecords(path, { spanMs: 60_000, most: 100_000 });
  return recent?.choices.get('regions') as RecentChoice;
}

test('a replay knows what the selector knew: the same features, the same odds as were recorded', async () => {
  const recent = await recordedWorld(10);
  let compared = 0;
  for (const [k, next] of recent.decisions.entries()) {
    // In the world three are decided after each tick. Of these the second and third: nothing happens before them.
    if (k < 200 || k % 50 > 2 || next.ts !== recent.decisions[k - 1]?.ts) continue;
    const selector = await replay({ ...recent, decisions: recent.decisions.slice(0, k) });
    const chosen = selector.explain({ bytes: next.bytes }).candidates.find(({ target }) => target === next.chosen);
    expect(chosen?.inFlight).toBe(next.inFlight);
    expect(chosen?.propensity).toBeCloseTo(next.propensity, 2);
    const features = recent.snapshots.find(({ snapshot }) => snapshot === next.snapshot)?.features ?? [];
    for (const [i, value] of (selector.snapshot()?.features ?? []).entries()) {
      expect(Math.abs(value - (features[i] as number))).toBeLessThan(0.01);
    }
    compared += 1;
  }
  expect(compared).toBeGreaterThan(10);
}, 30_000);

test('a model is asked about the features that were recorded', async () => {
  const recent = await recordedWorld(3);
  const asked: Float32Array[] = [];
  const scorer: Scorer = {
    sha: 'f00d',
    schemaHash: SCHEMA_HASH,
    async score(features, rows) {
      asked.push(features);
      // What arithmetic expects: a model that is wrong would be left.
      return Float32Array.from({ length: rows * 3 }, (_, i) => {
        const ms = Math.expm1(features[Math.floor(i / 3) * FEATURE_COUNT + EXPECTED_COLUMN] as number);
        return [Math.log(ms), Math.log(2 * ms), 0.001][i % 3] as number;
      });
    },
  };
  const selector = await replay(recent, scorer, { ...CONFIG, by: 'predictive' });
  expect(asked).toContain(recent.snapshots.at(-1)?.features);
  const said = selector.explain({ bytes: 500 });
  expect(said).toMatchObject({ by: 'model', policy: 'predictive', model: 'f00d', fallback: undefined });
});

test('it goes on by itself up to another time: what was under way is answered, means fade', async () => {
  const recent = await recordedWorld(3);
  const end = recent.decisions.at(-1)?.ts as number;
  const at = (until: number): Promise<Selector> => replay(recent, undefined, CONFIG, until);
  const underWay = (selector: Selector): number => [0, 1, 2].reduce((sum, i) => sum + selector.inFlight(i), 0);
  expect(underWay(await at(end))).toBeGreaterThan(0);
  expect(underWay(await at(end + 10_000))).toBe(0);
  expect(underWay(await at(end + 1e9))).toBe(0);
});

test('successes that a sample left out are made up for', async () => {
  const recent = await recordedWorld(10);
  const sampled = recent.decisions.flatMap((one, i) => {
    if (one.outcome !== 'ok') return [one];
    return i % 10 === 0 ? [{ ...one, weight: 10 }] : [];
  });
  const rates = (selector: Selector): number[] => {
    const { features = [], columns = 0, classes = 0 } = selector.snapshot() ?? {};
    const column = GATEWAY_SCHEMA.features.findIndex(({ name }) => name === 'send_rate');
    return [0, 1, 2].map((i) => Math.expm1(features[i * classes * columns + column] as number));
  };
  const all = rates(await replay(recent)).reduce((sum, rate) => sum + rate);
  const some = rates(await replay({ ...recent, decisions: sampled })).reduce((sum, rate) => sum + rate);
  expect(some / all).toBeGreaterThan(0.6);
  expect(some / all).toBeLessThan(1.6);
});

test.each(SELECTORS)('every selector can be replayed: %s', async (by) => {
  const recent = await recordedWorld(1);
  const selector = await replay(recent, undefined, { ...CONFIG, by });
  const { candidates } = selector.explain({ bytes: 500 });
  expect(candidates.every(({ available, score }) => available && !Number.isNaN(score))).toBe(true);
  const last = recent.decisions.at(-1)?.chosen;
  const next = candidates.find(({ propensity }) => propensity === 1)?.target;
  const following: Record<string, string> = { log: 'queue', queue: 'hook', hook: 'log' };
  if (by === 'round-robin') expect(next).toBe(following[last ?? '']);
});

test('targets that are gone are passed over, new ones know nothing', async () => {
  const recent = await recordedWorld(1);
  const targets = [...TARGETS_OF_WORLD.slice(1), { name: 'new' }];
  const selector = await replay(recent, undefined, { ...CONFIG, targets });
  const { candidates } = selector.explain({ bytes: 500 });
  expect(candidates.map(({ target }) => target)).toEqual(['queue', 'hook', 'new']);
  expect(candidates[2]).toMatchObject({ inFlight: 0, parts: { meanMs: 20 } });
});

test('what a record stands for is bounded', async () => {
  const { decisions, snapshots } = await recordedWorld(2);
  let drawn = 0;
  const random = seeded(3);
  const count = (): number => {
    drawn += 1;
    return random();
  };
  const heavy = decisions.slice(-2).map((record) => ({ ...record, weight: 1_000_000 }));
  const options = { config: CONFIG, scorer: undefined, share: 1, random: count, schema: GATEWAY_SCHEMA };
  await replayed({ ...options, recorded: { decisions: heavy, snapshots } });
  expect(drawn).toBeGreaterThan(100);
  expect(drawn).toBeLessThan(100_000);
});
