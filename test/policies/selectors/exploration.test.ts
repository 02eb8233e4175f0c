import { describe, expect, it } from 'vitest';
import { type Bench, bench, targets } from './driver.ts';

const event = { bytes: 1_000 };

/** Two targets of which the second is far too dear to be chosen for its own sake, both just heard of. */
function cheapAndDear(explore = 0.005): Bench {
  const made = bench('adaptive', {
    targets: targets(2, (i) => ({ cost: 0.3 * i, capacity: { concurrent: 10 } })),
    weights: { latency: 0.1 },
    explore,
  });
  hear(made);
  return made;
}

function hear({ selector }: Bench): void {
  for (const target of [0, 1]) selector.settled(selector.sent(target, event), 'ok', 5);
  selector.tick();
}

function propensity({ selector }: Bench, target: number): number {
  return selector.explain(event).candidates[target]?.propensity ?? Number.NaN;
}

describe('exploration', () => {
  it('gives the worse target a share of its own, and no more than was asked for', () => {
    const made = cheapAndDear();
    expect(propensity(made, 1)).toBeGreaterThan(0);
    expect(propensity(made, 1)).toBeLessThanOrEqual(0.005);
    expect(propensity(cheapAndDear(0), 1)).toBe(0);
  });

  it('leaves a target alone that is loaded above 0.8', () => {
    const made = cheapAndDear();
    for (let n = 0; n < 7; n += 1) made.selector.sent(1, event);
    expect(propensity(made, 1)).toBeGreaterThan(0);
    made.selector.sent(1, event);
    expect(propensity(made, 1)).toBe(0);
  });

  it('never goes to a target that is not available or not eligible', () => {
    const { selector } = cheapAndDear(0.04);
    const three = bench('adaptive', { targets: targets(3), explore: 0.04 }).selector;
    selector.available(1, false);
    three.available(2, false);
    for (let n = 0; n < 5_000; n += 1) {
      expect(selector.choose(event).target).toBe(0);
      expect(three.choose(event).target).not.toBe(2);
      expect(three.choose(event, [1, 2]).target).toBe(1);
    }
  });

  it('sends a heartbeat to a target that was not heard of for a second, ten times as likely', () => {
    const made = cheapAndDear();
    const usual = propensity(made, 1);
    for (let n = 0; n < 60; n += 1) {
      made.now += 20;
      made.selector.settled(made.selector.sent(0, event), 'ok', 5);
      made.selector.tick();
    }
    // Less than 0.05 since all shares together are bounded.
    expect(propensity(made, 1)).toBeGreaterThan(0.04);
    expect(propensity(made, 1)).toBeGreaterThan(usual);
    hear(made);
    expect(propensity(made, 1)).toBeLessThanOrEqual(0.005);
  });

  it('takes no more than a twentieth of the events altogether', () => {
    const made = bench('adaptive', { targets: targets(40, (i) => ({ cost: i === 0 ? 0 : 5 })), explore: 0.01 });
    expect(propensity(made, 0)).toBeGreaterThanOrEqual(0.95);
  });
});
