import { describe, expect, it } from 'vitest';
import { SELECTORS, type SelectorName } from '../../../src/core/selector.ts';
import { Window } from '../../../src/models/window.ts';
import { bench, run, targets } from './driver.ts';

const event = { key: 'k', bytes: 1_000 };

describe.each(SELECTORS)('%s', (by: SelectorName) => {
  it('learns nothing from a send that was taken back, and lets its key go', () => {
    const made = bench(by, { targets: targets(3) });
    run(made, { ms: 1_000, behave: (target) => ({ latencyMs: 5 + target }) });
    const { selector } = made;
    const scores = (): number[] => selector.explain(event).candidates.map(({ score }) => score);
    const before = scores();
    const tickets = Array.from({ length: 20 }, () => selector.sent(1, event));
    expect(selector.inFlight(1)).toBe(20);
    expect(selector.choose(event)).toMatchObject({ target: 1, by: 'lease' });
    for (const ticket of tickets) selector.settled(ticket, 'recalled');
    expect(selector.inFlight(1)).toBe(0);
    expect(selector.explain(event).lease).toBeUndefined();
    expect(scores()).toEqual(before);
  });
});

describe('Window', () => {
  it('takes a send that was taken back for neither a success nor a failure', () => {
    const window = new Window();
    window.sent(0);
    window.sent(10);
    const { errors } = window;
    window.settled(500, 'recalled', 500, 10);
    expect(window).toMatchObject({ inFlight: 1, oldestSentAt: 10, errors, lastAckAt: Number.NEGATIVE_INFINITY });
    expect(window.ack1sMs).toBeNaN();
  });
});
