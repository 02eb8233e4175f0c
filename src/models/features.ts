import { createHash } from 'node:crypto';
import { bandwidthDelay, liveMs, roomFor, usualMs } from '../core/capacity.ts';
import type { SelectorTarget } from '../core/selector.ts';
import type { TargetWindow } from '../core/target-window.ts';

/** How a raw value becomes a feature: as it is, log(1 + x), or that with the sign of x. */
export type Scale = 'linear' | 'log1p' | 'signed-log1p';

export interface Feature {
  readonly name: string;
  readonly unit: string;
  readonly scale: Scale;
  /** Bounds of the raw value. */
  readonly clip: readonly [number, number];
  /** The feature (after scaling) where the value is not known. */
  readonly default: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function feature(name: string, unit: string, scale: Scale, clip: readonly [number, number], missing = -1): Feature {
  return Object.freeze({ name, unit, scale, clip: Object.freeze(clip), default: missing });
}

/** The feature that the latency of a model is told relative to: what the analytic policy expects. */
export const EXPECTED = 'expected';
/** The one that its failures are told relative to: the log odds of `err_ewma`. */
export const ERROR_ODDS = 'err_odds';

/** By how much answers to events of the size take longer than answers do on average. */
const SIZE_EXCESS = 'size_excess';

/** The one that the room of a model is told relative to: what arithmetic makes of it. */
export const ROOM = 'log_room';

/** Adapter types that are features. */
const PROTOCOLS = ['kafka', 'rabbitmq', 'mqtt', 'sqs', 'http'] as const;

/**
 * The features of one (target, size class), in order. No target identity, so that what was learned of some targets holds
 * for others. Serving and training compute them with {@link writeFeatures}; a model carries {@link SCHEMA_HASH}.
 */
export const FEATURES: readonly Feature[] = Object.freeze([
  feature('inflight_norm', '1', 'log1p', [0, 1_000]),
  feature('ack_ewma_1s', 'ms', 'log1p', [0, MINUTE]),
  feature('ack_ewma_30s', 'ms', 'log1p', [0, MINUTE]),
  feature('ack_p95_5s', 'ms', 'log1p', [0, MINUTE]),
  feature('floor_30s', 'ms', 'log1p', [0, MINUTE]),
  feature('oldest_inflight', 'ms', 'log1p', [0, MINUTE], 0),
  feature('since_last_ack', 'ms', 'log1p', [0, MINUTE]),
  feature('err_ewma', '1', 'linear', [0, 1]),
  feature('ack_rate', '1/s', 'log1p', [0, 1e6]),
  feature('send_rate', '1/s', 'log1p', [0, 1e6]),
  feature('backlog', 'events', 'log1p', [0, 1e9]),
  feature('backlog_slope', 'events/s', 'signed-log1p', [-1e6, 1e6], 0),
  feature('backlog_age', 'ms', 'log1p', [0, MINUTE]),
  feature('log_bytes', 'bytes', 'log1p', [0, 1e9]),
  feature('sin_tod', '1', 'linear', [-1, 1], 0),
  feature('cos_tod', '1', 'linear', [-1, 1], 0),
  feature('season_resid', 'log ms', 'linear', [-5, 5], 0),
  feature('since_recovery', 'ms', 'log1p', [0, HOUR], Math.log1p(HOUR)),
  ...PROTOCOLS.map((protocol) => feature(`is_${protocol}`, '1', 'linear', [0, 1], 0)),
  feature(EXPECTED, 'ms', 'log1p', [0, MINUTE]),
  feature('usual_30s', 'ms', 'log1p', [0, MINUTE]),
  feature('load', '1', 'log1p', [0, 1_000]),
  feature('suspicion', '1', 'linear', [0, 1], 0),
  feature(ERROR_ODDS, 'log odds', 'linear', [-7, 7], -6),
  feature(SIZE_EXCESS, 'ms', 'signed-log1p', [-MINUTE, MINUTE], 0),
  feature(ROOM, 'log events', 'linear', [0, 14], 0),
  feature('depth_spread', '1', 'log1p', [0, 1_000]),
  feature('latency_spread', '1', 'log1p', [0, 1_000]),
  feature('depth_latency_corr', '1', 'linear', [-1, 1], 0),
  feature('slope_room', '1', 'log1p', [0, 1_000]),
]);

export const FEATURE_COUNT: number = FEATURES.length;

/** SHA-256 over names, units, scales, bounds and defaults in their order. */
export const SCHEMA_HASH: string = createHash('sha256').update(JSON.stringify(FEATURES)).digest('hex');

/** Backlog that was polled longer ago than this counts as not known. */
const STALE_BACKLOG_MS = 30_000;
/** How far ahead of now the season is looked up: about what a decision bears on. */
const AHEAD_MS = 1_000;

export interface FeatureContext {
  readonly now: number;
  /** Of the season, in [0, 1); undefined where the time of day is not known. */
  readonly phase: number | undefined;
  readonly seasonMs: number;
  readonly gateways: number;
}

/** A raw value as a feature. NaN and infinities are "not known". */
export function scaled(column: number, raw: number): number {
  const { scale, clip, default: missing } = FEATURES[column] as Feature;
  if (!Number.isFinite(raw)) return missing;
  const value = Math.min(clip[1], Math.max(clip[0], raw));
  if (scale === 'linear') return value;
  return value < 0 ? -Math.log1p(-value) : Math.log1p(value);
}

/** What sets the rows of one target apart. */
export interface SizeOfRow {
  readonly sizeClass: number;
  readonly bytes: number;
}

/** Writes the row of one target at `offset`; {@link copyForSize} makes rows of other size classes of it. */
export function writeFeatures(
  out: Float32Array,
  offset: number,
  target: SelectorTarget,
  window: TargetWindow,
  { sizeClass, bytes }: SizeOfRow,
  context: FeatureContext,
): void {
  const { now, phase, seasonMs, gateways } = context;
  const angle = (phase ?? Number.NaN) * 2 * Math.PI;
  const backlogAge = now - window.backlogAt;
  const fresh = backlogAge <= STALE_BACKLOG_MS;
  const room = roomFor(target, window, gateways);
  const usual = usualMs(target, window);
  let column = 0;
  const put = (raw: number): void => {
    out[offset + column] = scaled(column, raw);
    column += 1;
  };
  put((window.inFlight + 1) / bandwidthDelay(target, window, gateways));
  put(window.ack1sMs);
  put(window.ack30sMs);
  put(window.p95Ms);
  put(target.floorMs ?? window.floorMs);
  put(now - window.oldestSentAt);
  put(now - window.lastAckAt);
  put(window.errors);
  put(window.ackRate);
  put(window.sendRate);
  put(fresh ? window.backlog : Number.NaN);
  put(fresh ? window.backlogSlope : Number.NaN);
  put(fresh ? backlogAge : Number.NaN);
  put(bytes);
  put(Math.sin(angle));
  put(Math.cos(angle));
  put(phase === undefined ? Number.NaN : window.seasonResidual(phase, AHEAD_MS / seasonMs));
  put(now - window.recoveredAt);
  for (const protocol of PROTOCOLS) put(target.protocol === protocol ? 1 : 0);
  put(liveMs(target, window, gateways, sizeClass));
  put(window.usualMs);
  put((window.inFlight + 1) / room);
  put(window.suspicion);
  put(Math.log(window.errors / (1 - window.errors)));
  put(window.excessMs(sizeClass));
  put(Math.log(room));
  put(window.depthSd / room);
  put(window.latencySdMs / usual);
  put(window.depthCorrelation);
  put(window.depthSlopeMs > 0 ? usual / window.depthSlopeMs / room : Number.NaN);
}

const BYTES_COLUMN = columnOf('log_bytes');
const EXPECTED_COLUMN = columnOf(EXPECTED);
const EXCESS_COLUMN = columnOf(SIZE_EXCESS);

function columnOf(wanted: string): number {
  return FEATURES.findIndex(({ name }) => name === wanted);
}

/** Copies the row of the target at `from` to `to` for another size. */
export function copyForSize(
  out: Float32Array,
  from: number,
  to: number,
  target: SelectorTarget,
  window: TargetWindow,
  { sizeClass, bytes }: SizeOfRow,
  { gateways }: FeatureContext,
): void {
  out.copyWithin(to, from, from + FEATURE_COUNT);
  out[to + BYTES_COLUMN] = scaled(BYTES_COLUMN, bytes);
  out[to + EXPECTED_COLUMN] = scaled(EXPECTED_COLUMN, liveMs(target, window, gateways, sizeClass));
  out[to + EXCESS_COLUMN] = scaled(EXCESS_COLUMN, window.excessMs(sizeClass));
}
