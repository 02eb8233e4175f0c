import { describe, expect, it } from 'vitest';
import { copyForSize, FEATURE_COUNT, FEATURES, SCHEMA_HASH, scaled, writeFeatures } from '../../src/models/features.ts';
import { Window } from '../../src/models/window.ts';

const context = { now: 10_000, phase: 0.25, seasonMs: 86_400_000, gateways: 1 };
const small = { sizeClass: 0, bytes: 1_000 };
const column = (name: string): number => FEATURES.findIndex((feature) => feature.name === name);

describe('features', () => {
  it('keep their order and meaning: a change of either makes models useless and must be meant', () => {
    expect(FEATURES.map(({ name }) => name)).toEqual([
      'inflight_norm',
      'ack_ewma_1s',
      'ack_ewma_30s',
      'ack_p95_5s',
      'floor_30s',
      'oldest_inflight',
      'since_last_ack',
      'err_ewma',
      'ack_rate',
      'send_rate',
      'backlog',
      'backlog_slope',
      'backlog_age',
      'log_bytes',
      'sin_tod',
      'cos_tod',
      'season_resid',
      'since_recovery',
      'is_kafka',
      'is_rabbitmq',
      'is_mqtt',
      'is_sqs',
      'is_http',
      'expected',
      'usual_30s',
      'load',
      'suspicion',
      'err_odds',
      'size_excess',
      'log_room',
      'depth_spread',
      'latency_spread',
      'depth_latency_corr',
      'slope_room',
    ]);
    expect(SCHEMA_HASH).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are defaults where nothing is known, and never NaN', () => {
    const row = new Float32Array(FEATURE_COUNT);
    writeFeatures(row, 0, { name: 'a' }, new Window(), small, { ...context, phase: undefined });
    const known = new Set([
      'inflight_norm',
      'load',
      'log_room',
      'err_ewma',
      'err_odds',
      'ack_rate',
      'send_rate',
      'log_bytes',
    ]);
    for (const [at, { name, default: missing }] of FEATURES.entries()) {
      if (!known.has(name)) expect([name, row[at]]).toEqual([name, Math.fround(missing)]);
    }
    expect(row.every(Number.isFinite)).toBe(true);
  });

  it('tell what the window saw', () => {
    const window = new Window();
    for (const now of [9_000, 9_010, 9_020]) window.sent(now);
    window.settled(9_050, 'ok', 50, 9_010);
    window.polled(9_900, 40, 100);
    window.recovered(4_000);
    window.roll(10_000);
    const row = new Float32Array(2 * FEATURE_COUNT);
    const target = { name: 'a', protocol: 'mqtt', capacity: { concurrent: 6 } };
    writeFeatures(row, FEATURE_COUNT, target, window, { sizeClass: 0, bytes: 2_000 }, context);
    const value = (name: string): number => row[FEATURE_COUNT + column(name)] as number;
    expect(value('inflight_norm')).toBeCloseTo(Math.log1p(3 / 6), 5);
    expect(value('ack_ewma_1s')).toBeCloseTo(Math.log1p(50), 5);
    expect(value('oldest_inflight')).toBeCloseTo(Math.log1p(990), 5);
    expect(value('since_last_ack')).toBeCloseTo(Math.log1p(950), 5);
    expect(value('backlog')).toBeCloseTo(Math.log1p(40), 5);
    expect(value('backlog_age')).toBeCloseTo(Math.log1p(200), 5);
    expect(value('log_bytes')).toBeCloseTo(Math.log1p(2_000), 5);
    expect(value('sin_tod')).toBeCloseTo(1, 6);
    expect(value('since_recovery')).toBeCloseTo(Math.log1p(6_000), 5);
    expect(value('is_mqtt')).toBe(1);
    expect(value('expected')).toBeCloseTo(Math.log1p(50), 5);
    expect(value('load')).toBeCloseTo(Math.log1p(3 / 6), 5);
    expect(row.subarray(0, FEATURE_COUNT).every((one) => one === 0)).toBe(true);
  });

  it('treat a backlog polled long ago as not known', () => {
    const window = new Window();
    window.polled(0, 40, 0);
    const row = new Float32Array(FEATURE_COUNT);
    writeFeatures(row, 0, { name: 'a' }, window, small, { ...context, now: 40_000 });
    expect(row[column('backlog')]).toBe(-1);
  });

  it('clip, and scale by the sign', () => {
    expect(scaled(column('backlog_slope'), -Math.expm1(3))).toBeCloseTo(-3, 9);
    expect(scaled(column('ack_ewma_1s'), 1e9)).toBe(Math.log1p(60_000));
    expect(scaled(column('ack_ewma_1s'), Number.POSITIVE_INFINITY)).toBe(-1);
    expect(scaled(column('err_ewma'), 7)).toBe(1);
  });

  it('of another size class differ in the size and in what follows from it', () => {
    const window = new Window();
    for (let now = 0; now < 200; now += 1) {
      window.sent(now);
      window.settled(now, 'ok', now % 2 === 0 ? 10 : 30, Number.POSITIVE_INFINITY, 0, now % 2);
    }
    const row = new Float32Array(2 * FEATURE_COUNT);
    writeFeatures(row, 0, { name: 'a' }, window, small, context);
    copyForSize(row, 0, FEATURE_COUNT, { name: 'a' }, window, { sizeClass: 1, bytes: 9_000 }, context);
    const differing = FEATURES.filter((_, i) => row[FEATURE_COUNT + i] !== row[i]).map(({ name }) => name);
    expect(differing).toEqual(['log_bytes', 'expected', 'size_excess']);
    const alone = new Float32Array(FEATURE_COUNT);
    writeFeatures(alone, 0, { name: 'a' }, window, { sizeClass: 1, bytes: 9_000 }, context);
    expect([...row.subarray(FEATURE_COUNT)]).toEqual([...alone]);
  });
});
