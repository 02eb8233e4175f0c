import { afterEach, expect, test } from 'vitest';
import type { MeshEvent } from '../../src/core/event.ts';
import { jsonEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { routeConfig, runGateway, settledAndBalanced } from '../setup/gateway.ts';
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

const deadLetter = { deadLetter: { store: true } };
const events = (type: string, count: number): MeshEvent[] =>
  Array.from({ length: count }, (_, n) => jsonEvent(n, { id: `${type}-${n}`, type }));
const ids = (list: readonly MeshEvent[]): string[] => list.map(({ id }) => id).sort();

test('continue, disabled, windows, samples and unmatched: { to } decide where events go', async () => {
  const from = await place('kafka');
  const to = await place('rabbitmq');
  const rest = await place('mqtt');
  const sent: MeshEvent[] = [];
  const left: MeshEvent[] = [];
  await to.read((event) => sent.push(event));
  await rest.read((event) => left.push(event));
  const common = { from: ['in'], to: ['out'], delivery: deadLetter };
  const only = (type: string): object => ({ filters: [{ exact: { type } }] });
  const text = routeConfig(from, to, {
    brokers: { a: from.broker, b: to.broker, c: rest.broker },
    targets: { out: { broker: 'b', ...to.target }, rest: { broker: 'c', ...rest.target } },
    routes: [
      { name: 'off', ...common, state: 'disabled', continue: false },
      { name: 'over', ...common, active: { to: '2020-01-01T00:00:00Z' }, continue: false },
      { name: 'early', ...common, active: { from: '9999-01-01T00:00:00Z' }, continue: false },
      { name: 'open', ...common, when: only('once'), active: { from: '2020-01-01T00:00:00Z' }, continue: false },
      { name: 'twice', ...common, when: only('once') },
      { name: 'sampled', ...common, when: only('many'), sample: 0.25 },
    ],
    unmatched: { to: ['rest'] },
  });
  const { gateway, stop } = await runGateway(text);
  closing.push(stop);
  await from.produce([...events('once', 10), ...events('many', 400), ...events('none', 10)], 'binary');
  await eventually(() => expect(sent.length + left.length).toBe(420), { timeoutMs: 60_000 });
  await settledAndBalanced(gateway);
  const one = ids(sent.filter(({ type }) => type === 'once'));
  expect(one).toEqual(ids(events('once', 10)));
  const sampled = sent.filter(({ type }) => type === 'many').length;
  expect(sampled).toBeGreaterThan(60);
  expect(sampled).toBeLessThan(140);
  expect(left).toHaveLength(410 - sampled);
  const planned = gateway.status().routes.map(({ name, legs }) => [name, legs[0]?.counters.confirmed]);
  expect(planned).toEqual([
    ['off', 0],
    ['over', 0],
    ['early', 0],
    ['open', 10],
    ['twice', 0],
    ['sampled', sampled],
    ['unmatched', 410 - sampled],
  ]);
});

test.each(['rabbitmq', 'kafka'] as const)(
  '%s: a paused route holds its events within the window; a stop does not wait for them, and they come again',
  { timeout: 90_000 },
  async (kind) => {
    const from = await place(kind);
    const to = await place('mqtt');
    const received: MeshEvent[] = [];
    await to.read((event) => received.push(event));
    const source = { ...from.source, window: { maxEvents: 20 } };
    const routes = (state: string): object[] => [
      {
        name: 'held',
        from: ['in'],
        when: { filters: [{ exact: { type: 'held' } }] },
        to: ['out'],
        state,
        delivery: deadLetter,
      },
      {
        name: 'other',
        from: ['in'],
        when: { filters: [{ exact: { type: 'other' } }] },
        to: ['out'],
        delivery: deadLetter,
      },
    ];
    const config = (state: string): string =>
      routeConfig({ broker: from.broker, source }, to, {
        routes: routes(state),
        unmatched: 'dead-letter',
        drain: { deadline: '10m' },
      });

    const paused = await runGateway(config('paused'));
    await from.produce([...events('other', 5), ...events('held', 10)], 'binary');
    await eventually(() => expect(paused.gateway.status().sources[0]?.counters.received).toBe(15));
    await eventually(() => expect(received).toHaveLength(5));
    expect(paused.gateway.status().sources[0]).toMatchObject({ held: false });
    await from.produce(events('held', 30).slice(10), 'binary');
    await eventually(() => expect(paused.gateway.status().sources[0]).toMatchObject({ held: true }));
    expect(received).toHaveLength(5);
    expect(paused.gateway.status()).toMatchObject({ balanced: true });
    // Ten minutes are given: the test would not live to see them.
    await paused.stop();

    const active = await runGateway(config('active'));
    closing.push(active.stop);
    await eventually(
      () => expect(new Set(ids(received))).toEqual(new Set([...ids(events('other', 5)), ...ids(events('held', 30))])),
      {
        timeoutMs: 60_000,
      },
    );
    await settledAndBalanced(active.gateway);
  },
);
