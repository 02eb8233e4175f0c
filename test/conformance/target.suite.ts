import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../src/core/event.ts';
import type { Leg, Target } from '../../src/core/target.ts';
import { identity, jsonEvent, mixedEvent } from '../setup/events.ts';
import { required } from './required.ts';

export type Encoding = 'binary' | 'structured' | 'raw';

export interface TargetFixture {
  /** A target on the fixture in that content mode (the adapter's default without one). */
  create(encoding?: Encoding): Target;
  /** A target on something that does not exist, for `check()`. */
  createBroken?(): Target;
  /** Reads back, with a raw client and the binding's decoder, until `count` events are there. */
  received(count: number): Promise<MeshEvent[]>;
  /** Reads back data bytes as written, for `raw`. */
  receivedRaw(count: number): Promise<Buffer[]>;
  /** A leg that the target must refuse for good (e.g. an address template without its attribute, or too large). */
  refusedLeg?(): Leg;
  teardown(): Promise<void>;
}

export interface TargetHarness {
  readonly kind: string;
  readonly encodings: readonly Encoding[];
  readonly identity?: (event: MeshEvent) => unknown;
  /** Cases that cannot be had here: it refuses nothing by itself (`refusal`), nothing can be `missing`. */
  readonly without?: readonly ('refusal' | 'missing')[];
  setup(): Promise<TargetFixture>;
}

/** A first-attempt leg for an event, keyed as a source with `order: key` would. */
export function legOf(event: MeshEvent, over: Partial<Leg> = {}): Leg {
  const key = event.extensions['partitionkey'];
  return {
    event,
    meta: { position: { test: 1 } },
    route: 'test',
    key: key === undefined ? undefined : String(key),
    attempt: 1,
    ...over,
  };
}

const notify = { available(): void {}, unavailable(): void {} };

/** What every target must do, against its real broker. */
export function targetSuite(harness: TargetHarness): void {
  describe(`target conformance: ${harness.kind}`, () => {
    let fixture: TargetFixture;
    const opened: Target[] = [];
    const same = harness.identity ?? identity;
    const never = new AbortController().signal;

    const open = async (encoding?: Encoding): Promise<Target> => {
      const target = fixture.create(encoding);
      opened.push(target);
      await target.open(notify, never);
      return target;
    };

    beforeEach(async () => {
      fixture = await harness.setup();
    });
    afterEach(async () => {
      for (const target of opened.splice(0)) await target.close();
      await fixture.teardown();
    });

    for (const encoding of harness.encodings.filter((mode) => mode !== 'raw')) {
      test(`writes every attribute and byte (${encoding})`, async () => {
        const target = await open(encoding);
        const events = Array.from({ length: 60 }, (_, n) => mixedEvent(n));
        for (let at = 0; at < events.length; at += 20) {
          const results = await target.send(
            events.slice(at, at + 20).map((event) => legOf(event)),
            never,
          );
          expect(results.map(({ status }) => status)).toEqual(Array(20).fill('confirmed'));
        }
        const byId = new Map((await fixture.received(events.length)).map((event) => [event.id, event]));
        for (const event of events) expect(same(byId.get(event.id) as MeshEvent)).toEqual(same(event));
      });
    }

    if (harness.encodings.includes('raw')) {
      test('raw writes the data alone', async () => {
        const target = await open('raw');
        const events = Array.from({ length: 6 }, (_, n) => jsonEvent(n));
        const results = await target.send(
          events.map((event) => legOf(event)),
          never,
        );
        expect(results.every(({ status }) => status === 'confirmed')).toBe(true);
        const bodies = (await fixture.receivedRaw(events.length)).map((body) => body.toString()).sort();
        expect(bodies).toEqual(events.map(({ data }) => String(data)).sort());
      });
    }

    test('sends at once up to its concurrency, each result for its own leg', async () => {
      const target = await open();
      const sends = Array.from({ length: Math.min(4, target.limits.concurrency) }, (_, s) =>
        target.send(
          Array.from({ length: 8 }, (_, n) => legOf(jsonEvent(s * 8 + n))),
          never,
        ),
      );
      const results = (await Promise.all(sends)).flat();
      expect(results.length).toBe(sends.length * 8);
      expect(results.every(({ status }) => status === 'confirmed')).toBe(true);
      expect((await fixture.received(results.length)).length).toBe(results.length);
    });

    if (harness.without?.includes('refusal') !== true) {
      test('a refused leg fails for good and alone', async () => {
        const target = await open();
        const [a, b] = [jsonEvent(1), jsonEvent(2)];
        const results = await target.send([legOf(a), required(fixture.refusedLeg)(), legOf(b)], never);
        expect(results.map(({ status }) => status)).toEqual(['confirmed', 'failed', 'confirmed']);
        expect(results[1]).toMatchObject({ retryable: false, code: expect.stringMatching(/^E_/) });
        expect((await fixture.received(2)).map(({ id }) => id).sort()).toEqual([a.id, b.id].sort());
      });
    }

    test('an aborted send resolves with a result for every leg', async () => {
      const target = await open();
      const abort = new AbortController();
      const sending = target.send([legOf(jsonEvent(1)), legOf(jsonEvent(2))], abort.signal);
      abort.abort();
      const results = await sending;
      expect(results.length).toBe(2);
    });

    test('health and check tell the state; close is idempotent and later sends are refused', async () => {
      const target = await open();
      expect(target.health().status).toBe('up');
      const items = await fixture.create().check();
      expect(items.length).toBeGreaterThan(0);
      expect(items.filter(({ ok }) => !ok)).toEqual([]);
      const backlog = await target.backlog();
      expect(backlog === undefined || backlog >= 0).toBe(true);
      await target.close();
      await target.close();
      expect(target.health().status).toBe('closed');
      const [result] = await target.send([legOf(jsonEvent(1))], never);
      expect(result).toMatchObject({ unavailable: true });
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
