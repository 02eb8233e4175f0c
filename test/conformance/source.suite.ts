import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACK } from '../../src/core/delivery.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import type { Source, SourceFeatures } from '../../src/core/source.ts';
import { identity, jsonEvent, mixedEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { HoldingIntake } from './intake.ts';
import { required } from './required.ts';

/** One fresh queue, topic or path and a subscription identity on it. */
export interface SourceFixture {
  /** Puts events on the broker with a raw client, as CloudEvents, in order, durably when it resolves. */
  produce(events: readonly MeshEvent[]): Promise<void>;
  /** Puts bytes that claim to be a CloudEvent and are not; resolves with those bytes. */
  producePoison?(): Promise<Buffer>;
  /** A source on the fixture; every call has the same identity (group, client id), as a restarted process would. */
  create(): Source;
  /** A source on something that does not exist, for `check()`. */
  createBroken?(): Source;
  teardown(): Promise<void>;
}

export interface SourceHarness {
  readonly kind: string;
  readonly features: SourceFeatures;
  /** After a crash: exactly the unsettled deliveries, or everything from the first unsettled one (per partition). */
  readonly redelivery: 'exact' | 'from-first-unsettled' | 'none';
  /** What the binding keeps of an event when `produce` sends it; default {@link identity}. */
  readonly identity?: (event: MeshEvent) => unknown;
  /** Cases that cannot be had here, with the reason: `poison` is refused at the door, nothing can be `missing`. */
  readonly without?: readonly ('poison' | 'missing')[];
  setup(): Promise<SourceFixture>;
}

const pick = <T>(items: readonly T[], indices: readonly number[]): T[] => indices.map((index) => items[index] as T);

/** What every source must do, against its real broker. Cases a feature rules out are not declared, by that feature's name. */
export function sourceSuite(harness: SourceHarness): void {
  describe(`source conformance: ${harness.kind}`, () => {
    let fixture: SourceFixture;
    const opened: Source[] = [];
    const same = harness.identity ?? identity;

    const open = async (intake: HoldingIntake): Promise<Source> => {
      const source = fixture.create();
      opened.push(source);
      await source.open(intake, new AbortController().signal);
      return source;
    };

    beforeEach(async () => {
      fixture = await harness.setup();
    });
    afterEach(async () => {
      for (const source of opened.splice(0)) await source.close();
      await fixture.teardown();
    });

    if (harness.redelivery !== 'none') {
      test('settles out of order, restarts, and gets exactly the unsettled again', async () => {
        const events = Array.from({ length: 10 }, (_, n) => jsonEvent(n));
        const first = new HoldingIntake();
        const source = await open(first);
        await fixture.produce(events);
        await eventually(() => expect(first.ids().sort()).toEqual(events.map(({ id }) => id).sort()));
        const order = [7, 0, 3, 9, 1];
        for (const received of pick(first.received, order)) received.settle(ACK);
        const settled = new Set(pick(first.ids(), order));
        const unsettled = first.ids().filter((id) => !settled.has(id));
        await source.drained();
        await source.close();

        const second = new HoldingIntake();
        const again = await open(second);
        await eventually(() => expect(second.ids()).toEqual(expect.arrayContaining(unsettled)));
        if (harness.redelivery === 'exact') expect(second.ids().sort()).toEqual([...unsettled].sort());
        expect(new Set(second.ids()).size).toBe(second.received.length);
        second.ackAll();
        await again.drained();
        await again.close();

        const third = new HoldingIntake();
        await open(third);
        const marker = jsonEvent(99);
        await fixture.produce([marker]);
        await eventually(() => expect(third.ids()).toContain(marker.id));
        expect(third.ids()).toEqual([marker.id]);
      });
    }

    test('delivers every attribute and byte', async () => {
      const events = Array.from({ length: 60 }, (_, n) => mixedEvent(n));
      const intake = new HoldingIntake();
      intake.onArrival = ACK;
      await open(intake);
      await fixture.produce(events);
      await eventually(() => expect(intake.received.length).toBe(events.length));
      const byId = new Map(intake.events.map(({ event }) => [event.id, event]));
      for (const event of events) expect(same(byId.get(event.id) as MeshEvent)).toEqual(same(event));
      for (const { delivery } of intake.received) expect(Object.keys(delivery.meta.position).length).toBeGreaterThan(0);
    });

    test('pause holds back, resume goes on, nothing is lost', async () => {
      const intake = new HoldingIntake();
      intake.onArrival = ACK;
      const source = await open(intake);
      const before = Array.from({ length: 20 }, (_, n) => jsonEvent(n));
      await fixture.produce(before);
      await eventually(() => expect(intake.received.length).toBe(20));
      source.pause();
      source.pause();
      const during = Array.from({ length: 50 }, (_, n) => jsonEvent(100 + n));
      const produced = fixture.produce(during);
      source.resume();
      await produced;
      await eventually(() => expect(new Set(intake.ids()).size).toBe(70));
      expect(intake.ids().length).toBe(70);
    });

    if (harness.features.returns) {
      test('retry gives a delivery back and it comes again with a higher attempt', async () => {
        const intake = new HoldingIntake();
        await open(intake);
        await fixture.produce([jsonEvent(1)]);
        await eventually(() => expect(intake.received.length).toBe(1));
        intake.received[0]?.settle({ verdict: 'retry', reason: 'test' });
        await eventually(() => expect(intake.received.length).toBe(2));
        expect(intake.ids()[1]).toBe(intake.ids()[0]);
        expect(intake.received[1]?.delivery.attempt).toBeGreaterThan(1);
        intake.received[1]?.settle(ACK);
      });
    }

    if (harness.features.rejects) {
      test('reject moves a delivery aside for good', async () => {
        const intake = new HoldingIntake();
        const source = await open(intake);
        await fixture.produce([jsonEvent(1)]);
        await eventually(() => expect(intake.received.length).toBe(1));
        intake.received[0]?.settle({ verdict: 'reject', reason: 'test' });
        await source.drained();
        await source.close();
        const second = new HoldingIntake();
        await open(second);
        const marker = jsonEvent(2);
        await fixture.produce([marker]);
        await eventually(() => expect(second.ids()).toContain(marker.id));
        expect(second.ids()).toEqual([marker.id]);
      });
    }

    if (harness.features.keyedOrder) {
      test('keeps the order of one key', async () => {
        const intake = new HoldingIntake();
        intake.onArrival = ACK;
        await open(intake);
        const events = Array.from({ length: 200 }, (_, n) => mixedEvent(n));
        await fixture.produce(events);
        await eventually(() => expect(intake.received.length).toBe(200));
        const byKey = new Map<string, number[]>();
        for (const { event, orderingKey } of intake.events) {
          const key = orderingKey ?? '';
          byKey.set(key, [...(byKey.get(key) ?? []), Number(event.extensions['sequence'])]);
        }
        for (const sequence of byKey.values()) expect(sequence).toEqual([...sequence].sort((a, b) => a - b));
      });
    }

    if (harness.without?.includes('poison') !== true) {
      test('bytes that cannot be decoded arrive as poison, verbatim, and traffic goes on', async () => {
        const intake = new HoldingIntake();
        intake.onArrival = ACK;
        await open(intake);
        const raw = await required(fixture.producePoison)();
        const after = jsonEvent(2);
        await fixture.produce([after]);
        await eventually(() => expect(intake.received.length).toBe(2));
        const poison = intake.received.find(({ delivery }) => delivery.poison !== undefined)?.delivery.poison;
        expect(poison?.raw.equals(raw)).toBe(true);
        expect(poison?.code).toMatch(/^E_/);
        expect(intake.ids()).toEqual([after.id]);
      });
    }

    test('health and check tell the state; close is idempotent', async () => {
      const source = await open(new HoldingIntake());
      expect(source.health().status).toBe('up');
      const items = await fixture.create().check();
      expect(items.length).toBeGreaterThan(0);
      expect(items.filter(({ ok }) => !ok)).toEqual([]);
      const lag = await source.lag();
      expect(lag === undefined || lag >= 0).toBe(true);
      await source.close();
      await source.close();
      expect(source.health().status).toBe('closed');
    });

    if (harness.without?.includes('missing') !== true) {
      test('check names what is wrong', async () => {
        const wrong = (await required(fixture.createBroken)().check()).filter(({ ok }) => !ok);
        expect(wrong.length).toBeGreaterThan(0);
        for (const item of wrong) {
          expect(item.code).toMatch(/^E_/);
          expect(item.message?.length).toBeGreaterThan(10);
        }
      });
    }
  });
}
