import { describe, expect, test } from 'vitest';
import type { SendResult } from '../../src/core/target.ts';
import { CONFIRMED } from '../../src/core/target.ts';
import { delivery, rig } from './rig.ts';

const failed = (over: Partial<Exclude<SendResult, { status: 'confirmed' }>> = {}): SendResult => ({
  status: 'failed',
  code: 'E_TEST',
  message: 'test',
  retryable: true,
  ...over,
});

describe('settlement', () => {
  test('a delivery is acknowledged once, when its last leg is confirmed', async () => {
    const r = rig({ targets: ['a', 'b'] });
    (r.targets.get('b') as typeof r.target).behaviour = (leg) => (leg.attempt < 3 ? failed() : CONFIRMED);
    r.deliver([delivery(1)]);
    await r.clock.advance(5);
    expect(r.target.accepted.length).toBe(1);
    expect(r.outcomes.size).toBe(0);
    await r.clock.advance(2_000);
    expect(r.outcomes.get('1')).toEqual([{ verdict: 'ack' }]);
    expect(r.legs[1]?.counters).toMatchObject({ planned: 1, confirmed: 1, retries: 2, pending: 0 });
    expect(r.target.sends.length).toBe(1);
    expect(r.balanced()).toBe(true);
  });

  test('an exhausted leg is settled only after its dead letter is durable', async () => {
    const r = rig({ settings: { retry: 1 } });
    r.target.behaviour = () => failed();
    r.keeping.fail = new Error('disk full');
    r.deliver([delivery(1)]);
    await r.clock.advance(10_000);
    expect(r.target.sends.length).toBe(2);
    expect(r.outcomes.size).toBe(0);
    expect(r.pipeline.deadLettering.lastError?.message).toBe('disk full');
    r.keeping.fail = undefined;
    await r.clock.advance(30_000);
    expect(r.letters).toMatchObject([{ code: 'E_TEST', attempts: 2, route: 'r', target: 'a', source: 'in' }]);
    expect(r.outcomes.get('1')).toEqual([{ verdict: 'ack' }]);
    expect(r.legs[0]?.counters).toMatchObject({ deadLettered: 1, pending: 0 });
    expect(r.balanced()).toBe(true);
  });

  test('a final failure is not retried', async () => {
    const r = rig();
    r.target.behaviour = () => failed({ retryable: false, code: 'E_TOO_LARGE' });
    r.deliver([delivery(1)]);
    await r.clock.advance(1_000);
    expect(r.target.sends.length).toBe(1);
    expect(r.letters.map(({ code }) => code)).toEqual(['E_TOO_LARGE']);
  });

  test('Retry-After is obeyed up to its bound', async () => {
    const r = rig();
    r.target.behaviour = (leg) => (leg.attempt === 1 ? failed({ retryAfterMs: 60_000 }) : CONFIRMED);
    r.deliver([delivery(1)]);
    await r.clock.advance(4_900);
    expect(r.target.sends.length).toBe(1);
    await r.clock.advance(200);
    expect(r.target.accepted.length).toBe(1);
  });

  test('poison is dead-lettered verbatim and acknowledged', async () => {
    const r = rig();
    const raw = Buffer.from([0, 1, 255]);
    r.deliver([
      {
        poison: { code: 'E_CE', message: 'bad', raw },
        attempt: 1,
        orderingKey: undefined,
        meta: { position: { n: 1 } },
      },
    ]);
    await r.clock.advance(1);
    expect(r.letters).toMatchObject([{ raw, event: undefined, code: 'E_CE' }]);
    expect(r.outcomes.get('poison-0')).toEqual([{ verdict: 'ack' }]);
    expect(r.balanced()).toBe(true);
  });

  test.each([
    ['dead-letter', { verdict: 'ack' }, 1],
    ['drop', { verdict: 'ack' }, 0],
    ['fail', { verdict: 'reject', reason: 'E_UNMATCHED' }, 0],
  ] as const)('unmatched: %s', async (action, outcome, letters) => {
    const r = rig({ type: 'something.else', unmatched: { action } });
    r.deliver([delivery(1)]);
    await r.clock.advance(1);
    expect(r.outcomes.get('1')).toEqual([outcome]);
    expect(r.letters.length).toBe(letters);
    expect(r.pipeline.aside.unmatched.planned).toBe(1);
    expect(r.balanced()).toBe(true);
  });

  test('a dead-letter target receives the wrapped event; when it refuses, the store keeps it', async () => {
    const settings = { retry: 0, deadLetter: { store: false, target: 'dlq' } };
    const r = rig({ targets: ['a', 'dlq'], settings });
    const dlq = r.targets.get('dlq') as typeof r.target;
    r.target.behaviour = () => failed({ retryable: false });
    r.deliver([delivery(1)]);
    await r.clock.advance(100);
    expect(dlq.accepted.map(({ event }) => event.type)).toEqual(['wrapped']);
    expect(r.outcomes.get('1')).toEqual([{ verdict: 'ack' }]);
    dlq.behaviour = () => failed({ retryable: false });
    r.deliver([delivery(2)]);
    await r.clock.advance(100);
    expect(r.letters.map(({ event }) => event?.id)).toEqual(['2']);
    expect(r.outcomes.get('2')).toEqual([{ verdict: 'ack' }]);
    expect(r.balanced()).toBe(true);
  });
});

describe('order and isolation', () => {
  test('a key blocks while its head backs off; other keys go on', async () => {
    const r = rig();
    r.target.behaviour = (leg) => (leg.event.id === '1' && leg.attempt < 3 ? failed() : CONFIRMED);
    r.deliver([delivery(1, 'k'), delivery(2, 'k'), delivery(3, 'other'), delivery(4)]);
    await r.clock.advance(3);
    expect(r.target.accepted.map(({ event }) => event.id)).toEqual(['3', '4']);
    await r.clock.advance(2_000);
    expect(r.target.accepted.map(({ event }) => event.id)).toEqual(['3', '4', '1', '2']);
  });

  test('an ordered-batch target gets several legs of a key at once and the rest waits behind a failure', async () => {
    const r = rig({ orderedBatch: true });
    let broken = true;
    r.target.behaviour = () => (broken ? failed() : CONFIRMED);
    r.deliver([delivery(1, 'k'), delivery(2, 'k'), delivery(3, 'k')]);
    await r.clock.advance(1);
    expect(r.target.sends[0]?.length).toBe(3);
    broken = false;
    await r.clock.advance(2_000);
    expect(r.target.accepted.map(({ event }) => event.id)).toEqual(['1', '2', '3']);
  });

  test('an unavailable target consumes no attempt and its lane probes until it is back', async () => {
    const r = rig({ settings: { retry: 0 } });
    let up = false;
    r.target.behaviour = () => (up ? CONFIRMED : failed({ unavailable: true }));
    r.deliver([delivery(1, 'k'), delivery(2, 'k'), delivery(3)]);
    await r.clock.advance(60_000);
    expect(r.letters).toEqual([]);
    const probes = r.target.sends.length;
    expect(probes).toBeGreaterThan(5);
    expect(probes).toBeLessThan(60);
    up = true;
    r.lanes.get('a')?.available();
    await r.clock.advance(10);
    expect(r.target.accepted.map(({ event, attempt }) => [event.id, attempt])).toEqual([
      ['1', 1],
      ['3', 1],
      ['2', 1],
    ]);
  });

  test('maxAge bounds the wait for an unavailable target', async () => {
    const r = rig({ settings: { maxAgeMs: 5_000 } });
    r.target.behaviour = () => failed({ unavailable: true });
    r.deliver([delivery(1, 'k'), delivery(2, 'k'), delivery(3)]);
    await r.clock.advance(20_000);
    expect(r.letters.map(({ code }) => code)).toEqual(['E_MAX_AGE', 'E_MAX_AGE', 'E_MAX_AGE']);
    expect(r.lanes.get('a')?.depth).toBe(0);
    expect(r.balanced()).toBe(true);
  });

  test('maxAge holds for a target that has never connected', async () => {
    const r = rig({ open: false, settings: { maxAgeMs: 5_000 } });
    r.deliver(Array.from({ length: 20 }, (_, n) => delivery(n, `k${n % 2}`)));
    await r.clock.advance(4_000);
    expect(r.letters).toEqual([]);
    await r.clock.advance(3_000);
    expect(r.letters.map(({ code }) => code)).toEqual(new Array(20).fill('E_MAX_AGE'));
    expect(r.target.sends).toEqual([]);
    expect(r.balanced()).toBe(true);
  });

  test('a full lane that empties by maxAge lets go of its sources', async () => {
    const r = rig({ lane: { maxEvents: 10 }, settings: { maxAgeMs: 5_000 } });
    r.target.behaviour = () => failed({ unavailable: true });
    r.deliver(Array.from({ length: 12 }, (_, n) => delivery(n)));
    expect(r.calls).toEqual(['pause']);
    await r.clock.advance(20_000);
    expect(r.lanes.get('a')?.depth).toBe(0);
    expect(r.calls).toEqual(['pause', 'resume']);
  });

  test('batches that come in while a lane is closed share its timer, and each leg still ends by maxAge', async () => {
    const r = rig({ settings: { maxAgeMs: 60_000 } });
    r.target.behaviour = () => failed({ unavailable: true });
    r.deliver(Array.from({ length: 100 }, (_, n) => delivery(n)));
    await r.clock.advance(10);
    const first = r.lanes.get('a');
    const timers = r.clock.pending;
    for (let n = 100; n < 200; n += 1) r.deliver([delivery(n)]);
    expect(first?.depth).toBe(200);
    expect(r.clock.pending).toBe(timers);
    await r.clock.advance(120_000);
    expect(r.letters.length).toBe(200);
  });

  test('a full lane holds the source and lets go at half', async () => {
    const r = rig({ lane: { maxEvents: 10 } });
    let up = false;
    r.target.behaviour = () => (up ? CONFIRMED : failed({ unavailable: true }));
    r.deliver(Array.from({ length: 12 }, (_, n) => delivery(n)));
    expect(r.calls).toEqual(['pause']);
    await r.clock.advance(100);
    up = true;
    await r.clock.advance(10_000);
    expect(r.calls).toEqual(['pause', 'resume']);
    expect(r.outcomes.size).toBe(12);
  });

  test('the window of unsettled deliveries holds the source', async () => {
    const r = rig({ window: { maxEvents: 4, maxBytes: 1e9 } });
    r.deliver(Array.from({ length: 5 }, (_, n) => delivery(n)));
    expect(r.calls).toEqual(['pause']);
    await r.clock.advance(100);
    expect(r.calls).toEqual(['pause', 'resume']);
  });

  test('a paused route holds its legs: nothing is sent or settled, and the window holds the source', async () => {
    const r = rig({ paused: true, targets: ['a', 'b'], window: { maxEvents: 4, maxBytes: 1e9 } });
    expect(r.pipeline.resting).toBe(0);
    r.deliver(Array.from({ length: 4 }, (_, n) => delivery(n, 'k')));
    await r.clock.advance(60_000);
    expect(r.calls).toEqual(['pause']);
    expect(r.target.sends).toEqual([]);
    expect(r.outcomes.size).toBe(0);
    expect(r.legs.map(({ counters }) => counters.pending)).toEqual([4, 4]);
    expect(r.pipeline.resting).toBe(4);
    expect(r.balanced()).toBe(true);
  });

  test('no more sends at once than the target allows', async () => {
    const r = rig();
    let most = 0;
    r.target.behaviour = () => {
      most = Math.max(most, r.target.running + 1);
      return CONFIRMED;
    };
    r.deliver(Array.from({ length: 100 }, (_, n) => delivery(n)));
    await r.clock.advance(1_000);
    expect(most).toBe(2);
    expect(r.target.accepted.length).toBe(100);
    expect(Math.max(...r.target.sends.map((send) => send.length))).toBe(8);
  });
});
