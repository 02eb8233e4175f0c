import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../src/core/event.ts';
import { CONFIRMED, type SendResult } from '../../src/core/target.ts';
import {
  type InlineTransform,
  type StagedTransform,
  type Transformed,
  TransformFailure,
} from '../../src/core/transform.ts';
import { delivery, rig } from './rig.ts';

const FAILURE = new TransformFailure('E_TRANSFORM_DATA', 'the data is not JSON');
const REFUSED: SendResult = { status: 'failed', code: 'E_NO', message: 'no', retryable: false };

/** Marks the subject; fails on what `bad` names. */
function marking(bad: readonly string[] = []): InlineTransform {
  return {
    kind: 'inline',
    apply: (event) => (bad.includes(event.id) ? FAILURE : event.with({ subject: `was ${event.id}` })),
  };
}

/** Answers when it is told to, with what `make` gives. */
class Slow implements StagedTransform {
  readonly kind = 'staged';
  readonly maxEvents = 4;
  readonly calls: string[][] = [];
  readonly #answers: (() => void)[] = [];
  readonly #make: (event: MeshEvent) => Transformed;

  constructor(make: (event: MeshEvent) => Transformed = (event) => [event.with({ subject: `was ${event.id}` })]) {
    this.#make = make;
  }

  get open(): number {
    return this.#answers.length;
  }

  apply(events: readonly MeshEvent[]): Promise<readonly Transformed[]> {
    this.calls.push(events.map(({ id }) => id));
    return new Promise((resolve) => this.#answers.push(() => resolve(events.map(this.#make))));
  }

  /** Answers the call at a place among the open ones. */
  answer(at = 0): void {
    for (const one of this.#answers.splice(at, 1)) one();
  }

  async answerAll(r: ReturnType<typeof rig>): Promise<void> {
    for (let idle = 0; idle < 3; idle += 1) {
      await r.clock.advance(10);
      for (; this.open > 0; idle = 0) this.answer();
    }
  }
}

const split = (parts: number) => (event: MeshEvent) =>
  Array.from({ length: parts }, (_, n) => event.with({ id: `${event.id}#${n}` }));

const ids = (r: ReturnType<typeof rig>): string[] => r.target.accepted.map(({ event }) => event.id);

describe('an inline transform', () => {
  test('is applied once for all legs of its route', async () => {
    const transform = marking();
    let applied = 0;
    const counted: InlineTransform = {
      kind: 'inline',
      apply(event) {
        applied += 1;
        return transform.apply(event);
      },
    };
    const r = rig({ targets: ['a', 'b'], transform: counted });
    r.deliver([delivery(1, 'k')]);
    await r.clock.advance(100);
    expect(applied).toBe(1);
    for (const target of r.targets.values()) expect(target.accepted[0]?.event.subject).toBe('was 1');
    expect(r.balanced()).toBe(true);
  });

  test('what it fails on is dead-lettered as it came, on each leg, without a send', async () => {
    const r = rig({ targets: ['a', 'b'], transform: marking(['2']) });
    const deliveries = [delivery(1, 'k'), delivery(2, 'k'), delivery(3, 'k')];
    r.deliver(deliveries);
    await r.clock.advance(100);
    expect(ids(r)).toEqual(['1', '3']);
    expect(r.letters).toMatchObject([
      { code: FAILURE.code, message: FAILURE.message, attempts: 0, target: 'a', route: 'r' },
      { code: FAILURE.code, attempts: 0, target: 'b' },
    ]);
    for (const { event } of r.letters) expect(event).toBe(deliveries[1]?.event);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 3, confirmed: 2, deadLettered: 1, pending: 0 });
    expect(r.outcomes.size).toBe(3);
    expect(r.balanced()).toBe(true);
  });

  test('a paused route holds events as they came', async () => {
    const r = rig({ transform: marking(), paused: true });
    r.deliver([delivery(1)]);
    const [route] = r.pipeline.plan.routes;
    if (route === undefined) throw new Error('no route');
    r.pipeline.swap({ ...r.pipeline.plan, routes: [{ ...route, paused: false }] });
    await r.clock.advance(100);
    expect(r.target.accepted[0]?.event.subject).toBe('was 1');
    expect(r.balanced()).toBe(true);
  });
});

describe('a staged transform', () => {
  test('legs are pending while it works, batched, and leave in the order they came', async () => {
    const transform = new Slow();
    const r = rig({ transform });
    r.deliver(Array.from({ length: 10 }, (_, n) => delivery(n, `k${n % 2}`)));
    await r.clock.advance(100);
    expect(transform.calls).toEqual([
      ['0', '1', '2', '3'],
      ['4', '5', '6', '7'],
    ]);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 10, pending: 10 });
    expect(r.intake.counters.inFlight).toBe(10);
    expect(r.balanced()).toBe(true);
    transform.answer(1);
    await r.clock.advance(100);
    expect(ids(r)).toEqual([]);
    await transform.answerAll(r);
    for (const key of [0, 1]) {
      const own = ids(r)
        .map(Number)
        .filter((n) => n % 2 === key);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
    expect(r.outcomes.size).toBe(10);
    expect(r.balanced()).toBe(true);
  });

  test('what waits fills the window, which holds the source', async () => {
    const transform = new Slow();
    const r = rig({ transform, window: { maxEvents: 6, maxBytes: 1e9 } });
    r.deliver(Array.from({ length: 6 }, (_, n) => delivery(n, 'k')));
    await r.clock.advance(100);
    expect(r.calls).toEqual(['pause']);
    await transform.answerAll(r);
    expect(r.calls).toEqual(['pause', 'resume']);
    expect(ids(r).length).toBe(6);
  });

  test('nothing is started for a lane that is full', async () => {
    const transform = new Slow(split(4));
    const r = rig({ transform, lane: { maxEvents: 8 }, latencyMs: () => 50 });
    r.deliver(Array.from({ length: 16 }, (_, n) => delivery(n, `k${n}`)));
    await r.clock.advance(1);
    transform.answer();
    transform.answer();
    await r.clock.advance(1);
    expect(r.lanes.get('a')?.full).toBe(true);
    expect(transform.calls.length).toBe(2);
    for (let turn = 0; turn < 100; turn += 1) await transform.answerAll(r);
    expect(ids(r).length).toBe(64);
    expect(r.outcomes.size).toBe(16);
    expect(r.balanced()).toBe(true);
  });

  test('a stopped pipeline sends nothing of what comes back', async () => {
    const transform = new Slow();
    const r = rig({ transform });
    r.deliver([delivery(1)]);
    await r.clock.advance(1);
    r.pipeline.close();
    transform.answer();
    await r.clock.advance(100);
    expect(ids(r)).toEqual([]);
    expect(r.outcomes.size).toBe(0);
    expect(r.balanced()).toBe(true);
  });

  test('after a reload legs wait for those of their route that still have the transform of before', async () => {
    const transform = new Slow();
    const r = rig({ transform });
    r.deliver([delivery(1, 'k')]);
    await r.clock.advance(1);
    const [route] = r.pipeline.plan.routes;
    if (route === undefined) throw new Error('no route');
    r.pipeline.swap({ ...r.pipeline.plan, routes: [{ ...route, transform: undefined }] });
    r.deliver([delivery(2, 'k')]);
    await r.clock.advance(1);
    r.pipeline.swap({ ...r.pipeline.plan, routes: [{ ...route, transform: marking() }] });
    r.deliver([delivery(3, 'k')]);
    await r.clock.advance(100);
    expect(ids(r)).toEqual([]);
    transform.answer();
    await r.clock.advance(100);
    expect(r.target.accepted.map(({ event }) => [event.id, event.subject])).toEqual([
      ['1', 'was 1'],
      ['2', undefined],
      ['3', 'was 3'],
    ]);
    r.deliver([delivery(4, 'k')]);
    await r.clock.advance(100);
    expect(ids(r)).toEqual(['1', '2', '3', '4']);
    expect(r.balanced()).toBe(true);
  });

  test('legs of a detached source go back, whatever comes of their transform', async () => {
    const transform = new Slow(split(3));
    const r = rig({ transform });
    r.deliver([delivery(1, 'k'), delivery(2, 'k')]);
    await r.clock.advance(1);
    r.pipeline.detach(r.intake);
    transform.answer();
    await r.clock.advance(100);
    expect(ids(r)).toEqual([]);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 2, returned: 2, pending: 0 });
    expect(r.balanced()).toBe(true);
  });

  test('one that rejects fails its legs and stays in use', async () => {
    const broken: StagedTransform = {
      kind: 'staged',
      maxEvents: 4,
      apply: () => Promise.reject(new TypeError('secret')),
    };
    const r = rig({ transform: broken });
    r.deliver([delivery(1), delivery(2)]);
    await r.clock.advance(100);
    expect(r.letters.map(({ code, message }) => `${code} ${message}`)).toEqual(
      Array(2).fill('E_TRANSFORM_CONTRACT the transform threw TypeError'),
    );
    expect(r.outcomes.size).toBe(2);
  });
});

describe('a split', () => {
  test('is one leg: done when every part is', async () => {
    const transform = new Slow(split(3));
    const r = rig({ transform });
    let refusing = true;
    r.target.behaviour = (leg) => (refusing && leg.event.id === '1#1' ? { ...REFUSED, retryable: true } : CONFIRMED);
    r.deliver([delivery(1, 'k')]);
    await r.clock.advance(1);
    transform.answer();
    await r.clock.advance(20);
    expect(r.outcomes.size).toBe(0);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 1, pending: 1, confirmed: 0 });
    refusing = false;
    await r.clock.advance(10_000);
    expect(ids(r)).toEqual(['1#0', '1#1', '1#2']);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 1, pending: 0, confirmed: 1 });
    expect(r.outcomes.get('1')).toEqual([{ verdict: 'ack' }]);
    expect(r.balanced()).toBe(true);
  });

  test('fails with one of its parts, once, keeping the event as it came', async () => {
    const transform = new Slow(split(4));
    const r = rig({ transform });
    r.target.behaviour = (leg) => (['1#1', '1#2'].includes(leg.event.id) ? REFUSED : CONFIRMED);
    const original = delivery(1, 'k');
    r.deliver([original]);
    await r.clock.advance(1);
    transform.answer();
    await r.clock.advance(1_000);
    expect(ids(r)).toEqual(['1#0', '1#3']);
    expect(r.letters).toMatchObject([{ code: 'E_NO', message: '2 of 4 parts failed, the first with: no' }]);
    expect(r.letters[0]?.event).toBe(original.event);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 1, pending: 0, deadLettered: 1 });
    expect(r.outcomes.get('1')).toEqual([{ verdict: 'ack' }]);
    expect(r.balanced()).toBe(true);
  });

  test('into nothing is dropped and counted', async () => {
    const transform = new Slow(split(0));
    const r = rig({ transform });
    r.deliver([delivery(1, 'k')]);
    await r.clock.advance(1);
    transform.answer();
    await r.clock.advance(100);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 1, pending: 0, dropped: 1 });
    expect(r.outcomes.get('1')).toEqual([{ verdict: 'ack' }]);
    expect(r.balanced()).toBe(true);
  });
});

test('property: whatever is slow, fails or splits, order per key holds, everything settles once and the accounts balance', async () => {
  const kind = fc.constantFrom<'one' | 'fail' | 'none' | 'three'>('one', 'one', 'one', 'fail', 'none', 'three');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.integer({ min: 0, max: 3 }), kind }), { minLength: 1, maxLength: 60 }),
      fc.infiniteStream(fc.nat(3)),
      fc.boolean(),
      async (plan, choice, orderedBatch) => {
        const transform = new Slow((event) => {
          const what = plan[Number(event.id)]?.kind;
          if (what === 'fail') return FAILURE;
          return split({ one: 1, none: 0, three: 3 }[what as 'one' | 'none' | 'three'])(event);
        });
        const r = rig({
          transform,
          orderedBatch,
          lane: { maxEvents: 10 },
          latencyMs: () => 1 + (choice.next().value as number),
        });
        r.target.behaviour = () =>
          (choice.next().value as number) === 0 ? { ...REFUSED, retryable: true } : CONFIRMED;
        plan.forEach(({ key }, n) => {
          r.deliver([delivery(n, `k${key}`)]);
        });
        for (let turn = 0; turn < 40; turn += 1) {
          await r.clock.advance(1 + (choice.next().value as number) * 20);
          transform.answer(Math.min(transform.open - 1, choice.next().value as number));
          expect(r.balanced()).toBe(true);
        }
        for (let turn = 0; turn < 40; turn += 1) await transform.answerAll(r);
        await r.clock.advance(60_000);
        expect(r.outcomes.size).toBe(plan.length);
        for (const outcome of r.outcomes.values()) expect(outcome).toEqual([{ verdict: 'ack' }]);
        if (!orderedBatch) {
          for (let key = 0; key < 4; key += 1) {
            const own = r.target.accepted.filter((leg) => leg.key === `k${key}`).map(({ event }) => event.id);
            const order = own.map((id) => Number(id.split('#')[0]) * 10 + Number(id.split('#')[1]));
            expect(order).toEqual([...order].sort((a, b) => a - b));
          }
        }
        expect(r.balanced()).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});
