import { afterEach, expect, test } from 'vitest';
import { SqsBroker } from '../../src/adapters/sqs/client.ts';
import { SqsTarget } from '../../src/adapters/sqs/target.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Target } from '../../src/core/target.ts';
import { BacklogPoller } from '../../src/telemetry/backlog-poller.ts';
import { brokerOf, quiet, RawKafka, targetOf, unique } from '../adapters/kafka/fixture.ts';
import { opened, rawClient } from '../adapters/rabbitmq/open-target.ts';
import { brokerConfig, QueueFixture, targetConfig } from '../adapters/sqs/fixture.ts';
import { legOf } from '../conformance/target.suite.ts';
import { testContext } from '../setup/context.ts';
import { jsonEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';

const never = new AbortController().signal;
const undo: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Sends five events and waits until the poller tells of them. */
async function countsFive(target: Target): Promise<void> {
  const depths: number[] = [];
  const poller = new BacklogPoller({
    targets: [{ name: 'out', target, onDepth: (depth) => depths.push(depth) }],
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    intervalMs: 100,
  });
  undo.push(() => poller.stop());
  await eventually(() => depths.at(-1) === 0);
  const results = await target.send(
    Array.from({ length: 5 }, (_, n) => legOf(jsonEvent(n))),
    never,
  );
  expect(results.every(({ status }) => status === 'confirmed')).toBe(true);
  await eventually(() => depths.at(-1) === 5);
}

test('kafka: the lag of the watched group', async () => {
  const raw = new RawKafka();
  undo.push(() => raw.close());
  const broker = brokerOf();
  undo.push(() => broker.close());
  const target = targetOf(broker, { topic: await raw.createTopic('polled'), watchGroup: unique('nobody') });
  undo.push(() => target.close());
  await target.open(quiet, never);
  await countsFive(target);
});

test('rabbitmq: what is ready in the queue', async () => {
  const raw = await rawClient();
  const { target } = await opened({ queue: await raw.queue() });
  await countsFive(target);
});

test('sqs: the approximate number of messages', async () => {
  const fixture = await QueueFixture.create(false);
  undo.push(() => fixture.teardown());
  const broker = new SqsBroker(brokerConfig());
  undo.push(() => broker.close());
  const target = new SqsTarget(broker, targetConfig(fixture.name), testContext('out'));
  undo.push(() => target.close());
  await target.open(quiet, never);
  await countsFive(target);
});
