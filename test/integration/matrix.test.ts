import { afterEach, describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../src/core/event.ts';
import { identity, mixedEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { type RunningGateway, routeConfig, runGateway, settledAndBalanced } from '../setup/gateway.ts';
import { createPlace } from '../setup/places/index.ts';
import { KINDS, type Place } from '../setup/places/place.ts';

const EVENTS = 2_000;

/** Every source kind × every target kind: half binary, half structured, unicode, empty and binary data. */
describe(`pair matrix, ${EVENTS} mixed events each`, () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  for (const fromKind of KINDS) {
    for (const toKind of KINDS) {
      test(`${fromKind} → ${toKind}`, { timeout: 120_000 }, async () => {
        const place = async (kind: (typeof KINDS)[number]): Promise<Place> => {
          const made = await createPlace(kind);
          closing.push(() => made.close());
          return made;
        };
        const from = await place(fromKind);
        const to = await place(toKind);
        const received: MeshEvent[] = [];
        await to.read((event) => received.push(event));
        const running: RunningGateway = await runGateway(routeConfig(from, to));
        closing.push(() => running.stop());

        const sent = Array.from({ length: EVENTS }, (_, n) => mixedEvent(n));
        await from.produce(sent.slice(0, EVENTS / 2), 'binary');
        await from.produce(sent.slice(EVENTS / 2), 'structured');
        await eventually(() => expect(new Set(received.map(({ id }) => id)).size).toBe(EVENTS), { timeoutMs: 90_000 });
        await settledAndBalanced(running.gateway);

        const byId = new Map(received.map((event) => [event.id, event]));
        for (const event of sent) expect(identity(byId.get(event.id) as MeshEvent)).toEqual(identity(event));
        expect(received.length - EVENTS, 'duplicates').toBe(0);
        if (fromKind !== 'sqs' && fromKind !== 'http') expectOrderPerKey(received, toKind);
        const [leg] = running.gateway.status().routes[0]?.legs ?? [];
        expect(leg?.counters).toMatchObject({ planned: EVENTS, confirmed: EVENTS, deadLettered: 0, dropped: 0 });
      });
    }
  }
});

/** A standard SQS queue keeps no order, and an HTTP server sees concurrent requests of other keys only. */
function expectOrderPerKey(received: readonly MeshEvent[], toKind: string): void {
  if (toKind === 'sqs') return;
  const last = new Map<unknown, number>();
  for (const event of received) {
    const key = event.extensions['partitionkey'];
    const sequence = Number(event.extensions['sequence']);
    expect(sequence).toBeGreaterThan(last.get(key) ?? -1);
    last.set(key, sequence);
  }
}
