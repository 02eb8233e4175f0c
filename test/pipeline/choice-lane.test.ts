import { describe, expect, test } from 'vitest';
import { CONFIRMED, type SendResult } from '../../src/core/target.ts';
import { delivery, rig } from './rig.ts';

const TARGETS = ['a', 'b'];
const LOST: SendResult = { status: 'unknown', code: 'E_LATE', message: 'no answer', retryable: true };
const REFUSED: SendResult = { status: 'failed', code: 'E_NO', message: 'refused', retryable: true };
const DOWN: SendResult = { ...REFUSED, unavailable: true };

function ids(legs: readonly { event: { id: string } }[] | undefined): string[] {
  return (legs ?? []).map(({ event }) => event.id);
}

describe('a choice', () => {
  test('is one leg, sent to one target', async () => {
    const r = rig({ targets: TARGETS, choice: { by: 'round-robin' } });
    r.deliver([delivery(0), delivery(1), delivery(2), delivery(3)]);
    await r.clock.advance(10);
    expect(ids(r.targets.get('a')?.accepted)).toEqual(['0', '2']);
    expect(ids(r.targets.get('b')?.accepted)).toEqual(['1', '3']);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 4, confirmed: 4, pending: 0 });
  });

  test('tries what failed at once elsewhere, and waits when it has failed everywhere', async () => {
    const r = rig({ targets: TARGETS, choice: { by: 'priority' } });
    for (const target of r.targets.values()) target.behaviour = () => REFUSED;
    r.deliver([delivery(0)]);
    await r.clock.advance(4);
    const sends = (): (number | undefined)[] => TARGETS.map((name) => r.targets.get(name)?.sends.length);
    expect(sends()).toEqual([1, 1]);
    await r.clock.advance(2_000);
    expect(sends()).toEqual([2, 2]);
    expect(r.letters.map(({ code, attempts }) => [code, attempts])).toEqual([['E_NO', 4]]);
    expect(r.balanced()).toBe(true);
  });

  test('consumes no attempt where the target is unavailable, and goes elsewhere', async () => {
    const r = rig({ targets: TARGETS, choice: { by: 'priority' }, settings: { retry: 0 } });
    r.target.behaviour = () => DOWN;
    r.deliver([delivery(0), delivery(1)]);
    await r.clock.advance(20);
    expect(ids(r.targets.get('b')?.accepted)).toEqual(['0', '1']);
    expect(r.legs[0]?.counters).toMatchObject({ confirmed: 2, retries: 0 });
  });

  test('goes where the outcome is unknown as `onUnknown` says', async () => {
    for (const [onUnknown, accepted] of [
      ['wait', [1, 0]],
      ['reselect', [0, 1]],
    ] as const) {
      const r = rig({ targets: TARGETS, choice: { by: 'priority', onUnknown } });
      r.target.behaviour = (_, send) => (send === 1 ? LOST : CONFIRMED);
      r.deliver([delivery(0)]);
      await r.clock.advance(3_000);
      expect(TARGETS.map((name) => r.targets.get(name)?.accepted.length)).toEqual(accepted);
    }
  });

  test('dead-letters what no target may take', async () => {
    const r = rig({ targets: TARGETS, choice: { by: 'priority', eligible: (id) => (id === '1' ? [] : [1]) } });
    r.deliver([delivery(0), delivery(1)]);
    await r.clock.advance(10);
    expect(ids(r.targets.get('b')?.accepted)).toEqual(['0']);
    expect(r.letters.map(({ code, event }) => [code, event?.id])).toEqual([['E_CHOICE_NOT_ELIGIBLE', '1']]);
    expect(r.balanced()).toBe(true);
  });

  test('an event for a full target does not hold up those that may go elsewhere', async () => {
    const only = [0];
    const both = [0, 1];
    const eligible = (id: string): number[] => (Number(id) < 40 ? only : both);
    const limits = { maxEvents: 4, concurrency: 1 };
    const r = rig({ targets: TARGETS, limits, latencyMs: () => 100, choice: { by: 'round-robin', eligible } });
    r.deliver(Array.from({ length: 44 }, (_, n) => delivery(n)));
    await r.clock.advance(101);
    expect(ids(r.targets.get('b')?.accepted)).toEqual(['40', '41', '42', '43']);
    await r.clock.advance(2_000);
    expect(ids(r.target.accepted)).toEqual(Array.from({ length: 40 }, (_, n) => String(n)));
  });

  test('takes back what waits behind sends without an answer; keys stay until those are over', async () => {
    const limits = { maxEvents: 2, concurrency: 1 };
    const r = rig({ targets: TARGETS, limits, choice: { by: 'priority' } });
    const hung: ((results: SendResult[]) => void)[] = [];
    r.target.send = (legs) => new Promise((resolve) => hung.push(() => resolve(legs.map(() => LOST))));
    r.deliver([delivery(0, 'k'), delivery(1), delivery(2), delivery(3, 'k'), delivery(4)]);
    await r.clock.advance(600);
    // Two are under way, what was behind them has gone, and the rest of the key waits for its first.
    expect(ids(r.targets.get('b')?.accepted)).toEqual(['2', '4']);
    hung.shift()?.([]);
    await r.clock.advance(600);
    expect(ids(r.targets.get('b')?.accepted)).toEqual(['2', '4', '0', '1', '3']);
    expect(r.balanced()).toBe(true);
  });

  test('holds its sources while it is full', async () => {
    const r = rig({ targets: TARGETS, open: false, choice: { by: 'round-robin' } });
    r.deliver(Array.from({ length: 1_000 }, (_, n) => delivery(n)));
    expect(r.calls).toEqual(['pause']);
    for (const lane of r.lanes.values()) lane.open();
    await r.clock.advance(1_000);
    expect(r.calls).toEqual(['pause', 'resume']);
    expect(r.legs[0]?.counters.confirmed).toBe(1_000);
  });

  test('ends what is older than maxAge while no target can be reached', async () => {
    const r = rig({ targets: TARGETS, open: false, choice: { by: 'priority' }, settings: { maxAgeMs: 500 } });
    r.deliver([delivery(0), delivery(1, 'k'), delivery(2, 'k')]);
    await r.clock.advance(2_500);
    expect(r.letters.map(({ code }) => code)).toEqual(['E_MAX_AGE', 'E_MAX_AGE', 'E_MAX_AGE']);
    expect(r.choice?.depth).toBe(0);
  });

  test('of a reload sends on under the new setup, and ends what no target is left for', async () => {
    const r = rig({ targets: TARGETS, open: false, choice: { by: 'priority' } });
    const { choice } = r;
    if (choice === undefined) throw new Error('no choice');
    r.deliver([delivery(0), delivery(1)]);
    choice.leave({ ...choice.setup, targets: [], eligible: () => [] });
    await r.clock.advance(10);
    expect(r.letters.map(({ code }) => code)).toEqual(['E_TARGET_REMOVED', 'E_TARGET_REMOVED']);
    expect(choice.leaving).toBe(true);
    expect(r.balanced()).toBe(true);
  });
});
