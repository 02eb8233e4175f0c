import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FEATURES } from '../../src/models/features.ts';
import { lastDecisions } from '../../src/telemetry/explain-decisions.ts';
import { recordWorld } from '../models/recorded-world.ts';
import { directory } from './rig.ts';

test('the last decisions with what was known of each candidate, in raw units', async () => {
  const path = await directory();
  await recordWorld(path, 5);
  await recordWorld(path, 2, 2);
  const found = await lastDecisions(path, { count: 400 });
  expect(found).toHaveLength(400);
  const times = found.map(({ ts }) => ts);
  expect([...times].sort((a, b) => a - b)).toEqual(times);
  for (const { chosen, eligible, candidates, gateway, choice } of found) {
    expect({ gateway, choice }).toEqual({ gateway: 'mesh', choice: 'regions' });
    expect(eligible).toContain(chosen);
    expect(candidates.map(({ target }) => target)).toEqual(['log', 'queue', 'hook']);
  }
  const [log] = found.at(-1)?.candidates ?? [];
  expect(log).toMatchObject({ eligible: true, scores: undefined });
  expect(log?.features).toMatchObject({ is_kafka: 1, is_http: 0, backlog: expect.any(Number) });
  expect(log?.features['ack_ewma_1s']).toBeGreaterThan(3);
  expect(log?.features['err_ewma']).toBeLessThanOrEqual(1);
  const known = FEATURES.map(({ name }) => name);
  expect(Object.keys(log?.features ?? {}).every((name) => known.includes(name))).toBe(true);
});

test('of one choice only, and of nothing', async () => {
  const path = await directory();
  expect(await lastDecisions(path, { count: 10 })).toEqual([]);
  await recordWorld(path, 1);
  expect(await lastDecisions(path, { count: 10, choice: 'other' })).toEqual([]);
  const [file] = readdirSync(path).filter((name) => name.endsWith('.ndjson'));
  appendFileSync(join(path, file as string), '{"decision":1,"cut');
  expect(await lastDecisions(path, { count: 10, choice: 'regions' })).toHaveLength(10);
  await expect(lastDecisions(join(path, 'missing'), { count: 1 })).rejects.toMatchObject({ code: 'E_TELEMETRY_READ' });
});
