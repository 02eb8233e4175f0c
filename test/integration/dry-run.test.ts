import kafkajs from 'kafkajs';
import { afterEach, describe, expect, test } from 'vitest';
import { adapters } from '../../src/adapters/registry.ts';
import { environment } from '../../src/components.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import { DryRun, type DryRunLine } from '../../src/dry-run.ts';
import { jsonEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { parseConfig, routeConfig, runGateway, settledAndBalanced } from '../setup/gateway.ts';
import { createPlace } from '../setup/places/index.ts';
import type { Kind, Place } from '../setup/places/place.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function place(kind: Kind): Promise<Place> {
  const made = await createPlace(kind);
  closing.push(() => made.close());
  return made;
}

interface Running {
  readonly lines: DryRunLine[];
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

function dryRun(text: string, limit: number): Running {
  const lines: DryRunLine[] = [];
  let run: DryRun | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    const options = { limit, onLine: (line: DryRunLine) => lines.push(line), onEnd: resolve, onFatal: reject };
    run = new DryRun(parseConfig(text), environment({ adapters, instance: 'dry' }), options);
    run.start();
  });
  ended.catch(() => undefined); // told where it is awaited
  const close = async (): Promise<void> => run?.close();
  closing.push(close);
  return { lines, ended, close };
}

const events = (from: number, count: number): MeshEvent[] =>
  Array.from({ length: count }, (_, n) => jsonEvent(from + n, { id: String(from + n) }));
const ids = (lines: readonly DryRunLine[]): string[] =>
  lines.map((line) => (line.poison === undefined ? line.event.id : 'poison')).sort();
const idsOf = (sent: readonly MeshEvent[]): string[] => sent.map(({ id }) => id).sort();

describe('a dry run leaves every event where it is', () => {
  test.each(['kafka', 'rabbitmq', 'sqs'] as const)('%s', { timeout: 120_000 }, async (kind) => {
    const from = await place(kind);
    const to = await place('mqtt');
    const received: MeshEvent[] = [];
    await to.read((event) => received.push(event));
    const text = routeConfig(from, to);
    const sent = events(0, 30);
    await from.produce(sent, 'structured');
    for (const round of [1, 2]) {
      const run = dryRun(text, sent.length);
      await run.ended;
      await run.close();
      expect(ids(run.lines), `round ${round}`).toEqual(idsOf(sent));
      for (const line of run.lines) expect(line).toMatchObject({ legs: [{ route: 'pair', target: 'out' }] });
    }
    expect(received).toEqual([]);

    const { gateway, stop } = await runGateway(text);
    closing.push(stop);
    await eventually(() => expect(idsOf(received)).toEqual(idsOf(sent)), { timeoutMs: 60_000 });
    await settledAndBalanced(gateway);
  });

  test('fewer than there are, and no more', async () => {
    const from = await place('rabbitmq');
    const to = await place('mqtt');
    await from.produce(events(0, 20), 'binary');
    const run = dryRun(routeConfig(from, to), 5);
    await run.ended;
    await run.close();
    expect(run.lines).toHaveLength(5);
  });
});

test('kafka: begins where the group stands, beside its members, and leaves no group behind', {
  timeout: 120_000,
}, async () => {
  const from = await place('kafka');
  const to = await place('mqtt');
  const received: MeshEvent[] = [];
  await to.read((event) => received.push(event));
  const text = routeConfig(from, to);
  const first = await runGateway(text);
  await from.produce(events(0, 10), 'binary');
  await eventually(() => expect(received).toHaveLength(10));
  await settledAndBalanced(first.gateway);
  await first.stop();

  await from.produce(events(10, 10), 'binary');
  const run = dryRun(text, 10);
  await run.ended;
  expect(ids(run.lines)).toEqual(idsOf(events(10, 10)));
  await run.close();
  const admin = new kafkajs.Kafka({ brokers: from.broker['brokers'] as string[], logLevel: 0 }).admin();
  await admin.connect();
  closing.push(() => admin.disconnect());
  const { groups } = await admin.listGroups();
  expect(groups.filter(({ groupId }) => groupId.startsWith(`${from.source['group']}.dry-run`))).toEqual([]);

  const second = await runGateway(text);
  closing.push(second.stop);
  await eventually(() => expect(received).toHaveLength(20));
  // The group of the gateway has two members' worth of peace: a dry run beside it starts no rebalance.
  const beside = dryRun(text, 5);
  await from.produce(events(20, 5), 'binary');
  await eventually(() => expect(received).toHaveLength(25));
  await beside.close();
  await settledAndBalanced(second.gateway);
  expect(idsOf(received)).toEqual(idsOf(events(0, 25)));
});

test('mqtt: gets copies, without the session or the share of the real client', { timeout: 60_000 }, async () => {
  const from = await place('mqtt');
  const to = await place('rabbitmq');
  const received: MeshEvent[] = [];
  await to.read((event) => received.push(event));
  const shared = { ...from, source: { ...from.source, share: 'workers' } };
  const text = routeConfig(shared, to);
  const { gateway, stop } = await runGateway(text);
  closing.push(stop);
  const run = dryRun(text, 10);
  const sent = events(0, 10);
  // What is published before the dry run has subscribed reaches the gateway alone.
  await eventually(async () => {
    await from.produce(events(1_000, 1), 'structured');
    return run.lines.length > 0;
  });
  await from.produce(sent, 'structured');
  await run.ended;
  await run.close();
  await eventually(() => expect(received.map(({ id }) => id)).toEqual(expect.arrayContaining(idsOf(sent))));
  await settledAndBalanced(gateway);
});

test('http: who posts keeps the event', async () => {
  const from = await place('http');
  const to = await place('mqtt');
  const run = dryRun(routeConfig(from, to), 1);
  const post = (id: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${(from.broker['listen'] as { port: number }).port}/events`, {
      method: 'POST',
      headers: { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/s', 'ce-type': 't' },
    });
  const answer = await eventually(() => post('1'));
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await answer.json()).toMatchObject({
    code: 'E_HTTP_RETURNED',
    detail: 'this is a dry run: the event was looked at and not kept',
  });
  await run.ended;
  expect(ids(run.lines)).toEqual(['1']);
});
