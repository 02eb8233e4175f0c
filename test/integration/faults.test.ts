import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Brokers, startBrokers } from '../brokers/index.mjs';
import { KILL_PAIRS, killOnce } from '../faults/kill.ts';
import { outage } from '../faults/outage.ts';
import { seeded } from '../setup/seeded.ts';

/** Short runs of `npm run test:faults`: what may never be lost is checked in every test run. */
describe('kill -9 in the middle', () => {
  test.each(KILL_PAIRS)('%s → %s loses nothing', { timeout: 180_000 }, async (from, to) => {
    const report = await killOnce([from, to], 2_000, seeded(7));
    expect(report).toMatchObject({ acknowledged: 2_000, delivered: 2_000, lost: 0, foreign: 0 });
    if (from !== 'sqs' && to !== 'sqs') expect(report.inversions).toBe(0);
  });
});

describe('a target that is stopped and started again', () => {
  let brokers: Brokers;
  const shared = process.env['FAIRLEAD_TEST_RABBITMQ_URL'];

  beforeAll(async () => {
    // A broker of its own: the shared one must not be stopped under the other tests.
    delete process.env['FAIRLEAD_TEST_RABBITMQ_URL'];
    brokers = await startBrokers({ names: ['rabbitmq'] });
    Object.assign(process.env, brokers.env);
  }, 180_000);

  afterAll(async () => {
    await brokers.stop();
    process.env['FAIRLEAD_TEST_RABBITMQ_URL'] = shared;
  });

  test('RabbitMQ away for 20 s: nothing lost, order kept', { timeout: 240_000 }, async () => {
    const report = await outage(brokers, ['mqtt', 'rabbitmq'], 'rabbitmq', { events: 3_000, outageMs: 20_000 });
    expect(report).toMatchObject({ acknowledged: 3_000, delivered: 3_000, lost: 0, foreign: 0, inversions: 0 });
  });
});
