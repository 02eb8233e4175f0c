import { describe, expect, test } from 'vitest';
import { ClaimSource } from '../../src/claims/source.ts';
import { ClaimCheckTarget } from '../../src/claims/target.ts';
import { decodeJson } from '../../src/cloudevents/json-decode.ts';
import type { ClaimStore } from '../../src/core/claim-store.ts';
import type { Delivery, DeliveryBatch, Outcome } from '../../src/core/delivery.ts';
import { FairleadError } from '../../src/core/errors.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Intake, Source } from '../../src/core/source.ts';
import { CONFIRMED, type Leg, type Target } from '../../src/core/target.ts';
import { legOf } from '../conformance/target.suite.ts';
import { extensions, identity, jsonEvent } from '../setup/events.ts';
import { FakeClock } from '../setup/fake-clock.ts';

const DOWN = new FairleadError({ code: 'E_CLAIM_STORE', message: 'down', retryable: true, unavailable: true });
const GONE = new FairleadError({ code: 'E_CLAIM_MISSING', message: 'gone' });

class MemoryStore implements ClaimStore {
  readonly kept = new Map<string, Buffer>();
  failure: FairleadError | undefined;

  async put(data: Buffer): Promise<string> {
    if (this.failure !== undefined) throw this.failure;
    const reference = `mem:/${this.kept.size}`;
    this.kept.set(reference, data);
    return reference;
  }

  async get(reference: string): Promise<Buffer | undefined> {
    if (this.failure !== undefined) throw this.failure;
    if (!reference.startsWith('mem:/')) return undefined;
    const data = this.kept.get(reference);
    if (data === undefined) throw GONE;
    return data;
  }

  async check(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
  }
}

const large = (n: number, id = String(n)) =>
  jsonEvent(n, { id, data: Buffer.from(JSON.stringify({ n, pad: 'x'.repeat(200) })) });
const never = new AbortController().signal;

describe('a target with a claim check', () => {
  function checked() {
    const store = new MemoryStore();
    const sent: Leg[] = [];
    const inner = {
      limits: { maxEvents: 1, maxBytes: 1, concurrency: 1 },
      async send(legs: readonly Leg[]) {
        sent.push(...legs);
        return legs.map(() => CONFIRMED);
      },
      check: async () => [],
      health: () => ({ status: 'up' }),
    } as unknown as Target;
    return { store, sent, target: new ClaimCheckTarget(inner, store, 100) };
  }

  test('sends large data by reference and leaves everything else as it is', async () => {
    const { target, sent, store } = checked();
    const legs = [legOf(jsonEvent(1)), legOf(large(2), { key: 'k', attempt: 3 })];
    expect(await target.send(legs, never)).toEqual([CONFIRMED, CONFIRMED]);
    expect(sent[0]).toBe(legs[0]);
    const { $data: _, dataref, ...rest } = identity((sent[1] as Leg).event);
    const { $data: __, ...before } = identity((legs[1] as Leg).event);
    expect(rest).toEqual(before);
    expect(sent[1]).toMatchObject({ key: 'k', attempt: 3, route: 'test', event: { data: undefined } });
    expect(store.kept.get(dataref as string)).toBe(legs[1]?.event.data);
    expect(target.health().detail).toEqual({ claimed: 1 });
  });

  test('while the store is away nothing of the batch is sent, and no attempt is used', async () => {
    const { target, sent, store } = checked();
    store.failure = DOWN;
    const results = await target.send([legOf(jsonEvent(1)), legOf(large(2))], never);
    expect(results).toMatchObject(Array(2).fill({ status: 'failed', code: 'E_CLAIM_STORE', unavailable: true }));
    expect(sent).toEqual([]);
    expect(await target.send([legOf(jsonEvent(1))], never)).toEqual([CONFIRMED]);
    expect(await target.check()).toMatchObject([{ what: 'claim store', ok: false, code: 'E_CLAIM_STORE' }]);
  });

  test('a send whose time is over is not begun', async () => {
    const { target, sent } = checked();
    const results = await target.send([legOf(large(1))], AbortSignal.abort());
    expect(results).toMatchObject([{ status: 'failed', code: 'E_TIMEOUT', retryable: true }]);
    expect(sent).toEqual([]);
  });
});

describe('a source with a claim check', () => {
  async function checked() {
    const store = new MemoryStore();
    const clock = new FakeClock();
    const calls: string[] = [];
    const given: { intake?: Intake } = {};
    const inner = {
      open: async (intake: Intake) => {
        given.intake = intake;
      },
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
      close: async () => undefined,
    } as unknown as Source;
    const source = new ClaimSource(inner, { store, maxBytes: 1e6, clock, random: () => 0.5, log: silentLog });
    const taken: Delivery[] = [];
    const batches: DeliveryBatch[] = [];
    await source.open(
      {
        batch: (batch) => {
          batches.push(batch);
          taken.push(...batch.deliveries);
        },
      },
      never,
    );
    const settled: [number, Outcome][] = [];
    const deliver = (...events: ReturnType<typeof jsonEvent>[]): void => {
      const deliveries = events.map((event) => ({ event, attempt: 1, orderingKey: 'k', meta: { position: { n: 1 } } }));
      given.intake?.batch({ deliveries, settle: (index, outcome) => settled.push([index, outcome]) });
    };
    return { store, clock, calls, source, taken, batches, settled, deliver };
  }
  const claim = (id: string, reference: string) =>
    jsonEvent(0, { id, data: undefined, extensions: extensions({ dataref: reference, hop: 1 }) });

  test('gives events their data back, in order, and takes the reference away', async () => {
    const s = await checked();
    const reference = await s.store.put(Buffer.from('{"big":1}'));
    s.deliver(jsonEvent(1, { id: 'a' }), claim('b', reference), claim('c', 'https://elsewhere/x'));
    s.deliver(jsonEvent(1, { id: 'd' }));
    await s.clock.advance(1);
    expect(s.taken.map(({ event }) => event?.id)).toEqual(['a', 'b', 'c', 'd']);
    expect(s.taken[1]?.event?.data?.toString()).toBe('{"big":1}');
    expect(s.taken[1]?.event?.extensions).toEqual(extensions({ hop: 1 }));
    expect(s.taken[2]?.event?.extensions['dataref']).toBe('https://elsewhere/x');
    expect(s.calls).toEqual(['pause', 'resume']);
    s.batches[0]?.settle(1, { verdict: 'ack' });
    expect(s.settled).toEqual([[1, { verdict: 'ack' }]]);
  });

  test('data that is gone makes the event poison, whole', async () => {
    const s = await checked();
    const event = claim('a', 'mem:/none');
    s.deliver(event);
    await s.clock.advance(1);
    const poison = s.taken[0]?.poison;
    expect(poison).toMatchObject({ code: 'E_CLAIM_MISSING', message: 'gone' });
    expect(identity(decodeJson(poison?.raw as Buffer))).toEqual(identity(event));
  });

  test('waits, paused, for a store that is away', async () => {
    const s = await checked();
    const reference = await s.store.put(Buffer.from('x'));
    s.store.failure = DOWN;
    s.deliver(claim('a', reference));
    s.source.pause();
    s.source.resume();
    await s.clock.advance(5_000);
    expect(s.taken).toEqual([]);
    expect(s.calls.at(-1)).toBe('pause');
    s.store.failure = undefined;
    await s.clock.advance(60_000);
    expect(s.taken.length).toBe(1);
    expect(s.calls.at(-1)).toBe('resume');
  });

  test('fetches no more than a slice while the pipeline holds it', async () => {
    const s = await checked();
    const reference = await s.store.put(Buffer.alloc(3 * 2 ** 20));
    s.deliver(...Array.from({ length: 6 }, (_, n) => claim(String(n), reference)));
    s.source.pause();
    await s.clock.advance(1);
    expect(s.taken.length).toBe(2);
    s.source.resume();
    await s.clock.advance(1);
    expect(s.taken.length).toBe(6);
    s.batches[2]?.settle(1, { verdict: 'ack' });
    expect(s.settled).toEqual([[5, { verdict: 'ack' }]]);
  });

  test('hands over nothing once it is closed', async () => {
    const s = await checked();
    s.store.failure = DOWN;
    s.deliver(claim('a', 'mem:/0'));
    await s.clock.advance(1);
    await s.source.close();
    await s.clock.advance(60_000);
    expect(s.taken).toEqual([]);
  });
});
