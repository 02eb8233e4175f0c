import { afterEach, expect, test } from 'vitest';
import type { Gateway } from '../../src/app.ts';
import { type Log, silentLog } from '../../src/core/log.ts';
import { faultEvent, Ledger } from '../faults/ledger.ts';
import { brokerUrl } from '../setup/brokers.ts';
import { eventually } from '../setup/eventually.ts';
import { FaultProxy } from '../setup/fault-proxy.ts';
import { routeConfig, runGateway, settledAndBalanced } from '../setup/gateway.ts';
import { createPlace } from '../setup/places/index.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Kafka → RabbitMQ behind a fault proxy, with a breaker, few retries and little patience. */
async function guarded(policy: object) {
  const from = await createPlace('kafka');
  closing.push(() => from.close());
  const to = await createPlace('rabbitmq');
  closing.push(() => to.close());
  const proxy = await FaultProxy.before(brokerUrl('RABBITMQ'));
  closing.push(() => proxy.close());
  const broker = { type: 'rabbitmq', url: proxy.through(brokerUrl('RABBITMQ')), connectTimeout: '1s' };
  const target = { broker: 'b', ...to.target, confirmTimeout: '3s', policies: ['careful'] };
  const text = routeConfig(
    { broker: from.broker, source: from.source },
    { broker, target: to.target },
    { targets: { out: target }, policies: { careful: policy } },
  );
  const told: string[] = [];
  const tell = (_: object, message: string): void => {
    if (message.includes('circuit breaker')) told.push(message);
  };
  const log: Log = { ...silentLog, debug: tell, info: tell, warn: tell, child: () => log };
  const { gateway, stop } = await runGateway(text, log);
  closing.push(stop);
  const ledger = new Ledger();
  await to.read((event) => ledger.delivered(event));
  let count = 0;
  const produce = async (events: number): Promise<void> => {
    const burst = Array.from({ length: events }, (_, n) => faultEvent(count + n));
    count += events;
    ledger.produced(burst);
    await from.produce(burst, 'binary');
    ledger.acknowledged(burst);
  };
  return { gateway, proxy, ledger, produce, told };
}

function breaker(gateway: Gateway) {
  const [target] = gateway.status().targets;
  if (target?.breaker === undefined) throw new Error('the target has no breaker');
  return target.breaker;
}

test('a black hole opens the breaker; when it is over all events arrive, in order', { timeout: 120_000 }, async () => {
  const { gateway, proxy, ledger, produce, told } = await guarded({
    retry: 3,
    backoffDelay: '10ms',
    timeout: '500ms',
    // Low, since what was confirmed before the hole is still in the window.
    circuitBreaker: { failureRate: 0.1, minimum: 10, halfOpenAfter: '200ms', halfOpenAfterMax: '1s', probes: 3 },
  });
  await produce(500);
  await eventually(() => ledger.distinct === 500);
  expect(breaker(gateway)).toMatchObject({ state: 'closed', failureRate: 0, openings: 0 });
  proxy.set('both', { blackHole: true });
  await produce(1_000);
  await eventually(() => breaker(gateway).state === 'open');
  expect(breaker(gateway).failureRate).toBeGreaterThanOrEqual(0.1);
  // Far more probes than `retry` has attempts.
  await eventually(() => breaker(gateway).openings >= 4, { timeoutMs: 60_000 });
  expect(ledger.distinct).toBe(500);
  await proxy.heal();
  await produce(500);
  await eventually(() => ledger.missing === 0, { timeoutMs: 60_000 });
  await eventually(() => breaker(gateway).state === 'closed');
  await settledAndBalanced(gateway);
  expect(ledger.report()).toMatchObject({ delivered: 2_000, lost: 0, foreign: 0, inversions: 0 });
  expect(gateway.status().routes[0]?.legs[0]?.counters).toMatchObject({ confirmed: 2_000, deadLettered: 0 });
  expect(told.filter((text) => text === 'the circuit breaker opened').length).toBeGreaterThan(0);
  expect(told.at(-1)).toBe('probes were confirmed: the circuit breaker closed');
});

test('slow answers open it, and nothing comes twice', { timeout: 120_000 }, async () => {
  const { gateway, proxy, ledger, produce } = await guarded({
    timeout: '20s',
    circuitBreaker: { minimum: 10, halfOpenAfter: '200ms', slowCall: { over: '400ms', rate: 0.5 } },
  });
  proxy.set('down', { latencyMs: 800, jitterMs: 200 });
  await produce(300);
  await eventually(() => breaker(gateway).state === 'open');
  expect(breaker(gateway)).toMatchObject({ failureRate: 0, slowRate: 1 });
  await proxy.heal();
  await eventually(() => ledger.missing === 0);
  await settledAndBalanced(gateway);
  expect(breaker(gateway).state).toBe('closed');
  expect(ledger.report()).toMatchObject({ delivered: 300, duplicates: 0, lost: 0, inversions: 0 });
});
