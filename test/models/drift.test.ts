import { describe, expect, test } from 'vitest';
import { DRIFT_RULES, type DriftAlarm, DriftWatch } from '../../src/models/drift.ts';
import { seeded } from '../setup/seeded.ts';

/** Sends per second whose residuals are around a mean, as the model's and the average's have it. */
function drive(
  watch: DriftWatch,
  options: { from: number; seconds: number; perSecond?: number; target?: number; model: number; usual: number },
): DriftAlarm[] {
  const { from, seconds, perSecond = 50, target = 0, model, usual } = options;
  const random = seeded(from + 1);
  const alarms: DriftAlarm[] = [];
  for (let i = 0; i < seconds * perSecond; i += 1) {
    const noise = (): number => (random() - 0.5) * 0.3;
    const alarm = watch.saw(target, from + (i * 1_000) / perSecond, model + noise(), usual + noise());
    if (alarm !== undefined) alarms.push(alarm);
  }
  return alarms;
}

describe('drift', () => {
  test('noise raises no alarm', () => {
    expect(drive(new DriftWatch(1), { from: 0, seconds: 7_200, perSecond: 5, model: 0.3, usual: 0.3 })).toEqual([]);
  });

  test('a model that gets worse alone raises one, and says since when', () => {
    const watch = new DriftWatch(2);
    drive(watch, { from: 0, seconds: 120, model: 0.2, usual: 0.3 });
    const [alarm, ...more] = drive(watch, { from: 120_000, seconds: 60, model: 0.7, usual: 0.3 });
    expect(more).toEqual([]);
    expect(alarm).toMatchObject({ target: 0, beyondAverage: true });
    expect(Math.abs((alarm?.since ?? 0) - 120_000)).toBeLessThanOrEqual(3_000);
    expect(alarm?.rise).toBeCloseTo(0.5, 0);
  });

  test('where the average gets worse as much it says so', () => {
    const watch = new DriftWatch(1);
    drive(watch, { from: 0, seconds: 120, model: 0.2, usual: 0.2 });
    const alarms = drive(watch, { from: 120_000, seconds: 300, model: 1.2, usual: 1.2 });
    expect(alarms).toMatchObject([{ beyondAverage: false }]);
  });

  test('where the average gets worse and the model does not there is none', () => {
    const watch = new DriftWatch(1);
    drive(watch, { from: 0, seconds: 120, model: 0.2, usual: 0.2 });
    expect(drive(watch, { from: 120_000, seconds: 300, model: 0.2, usual: 1.2 })).toEqual([]);
  });

  test('a spike of less than the threshold is none, however many sends it has', () => {
    const watch = new DriftWatch(1);
    drive(watch, { from: 0, seconds: 120, model: 0.2, usual: 0.2 });
    expect(drive(watch, { from: 120_000, seconds: 1, perSecond: 5_000, model: 2.5, usual: 0.2 })).toEqual([]);
    expect(drive(watch, { from: 121_000, seconds: 120, model: 0.2, usual: 0.2 })).toEqual([]);
  });

  test('a target that gets few sends takes longer, and is heard all the same', () => {
    const watch = new DriftWatch(1);
    drive(watch, { from: 0, seconds: 120, model: 0.2, usual: 0.2 });
    const few = drive(watch, { from: 120_000, seconds: 60, perSecond: 1, model: 1.4, usual: 0.2 });
    expect(few).toHaveLength(1);
  });

  test('after an alarm there is none during the cooldown, of no target', () => {
    const watch = new DriftWatch(2, { ...DRIFT_RULES, cooldownMs: 100_000 });
    for (const target of [0, 1]) drive(watch, { from: 0, seconds: 60, target, model: 0.2, usual: 0.2 });
    expect(drive(watch, { from: 60_000, seconds: 30, model: 1.2, usual: 0.2 })).toHaveLength(1);
    expect(drive(watch, { from: 60_000, seconds: 90, target: 1, model: 1.2, usual: 0.2 })).toEqual([]);
    drive(watch, { from: 160_000, seconds: 60, model: 0.2, usual: 0.2 });
    expect(drive(watch, { from: 220_000, seconds: 30, model: 1.2, usual: 0.2 })).toHaveLength(1);
  });

  test('another model starts anew', () => {
    const watch = new DriftWatch(1);
    drive(watch, { from: 0, seconds: 60, model: 0.2, usual: 0.2 });
    watch.reset();
    expect(drive(watch, { from: 60_000, seconds: 300, model: 1.2, usual: 0.2 })).toEqual([]);
  });

  test('what is no number is left out', () => {
    const watch = new DriftWatch(1);
    expect(watch.saw(0, 0, Number.NaN, 0.2)).toBeUndefined();
    expect(watch.saw(0, 5_000, 0.2, Number.NaN)).toBeUndefined();
    expect(watch.saw(7, 5_000, 0.2, 0.2)).toBeUndefined();
  });
});
