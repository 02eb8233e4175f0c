import type { DeliveryMeta } from './delivery.ts';
import type { FairleadError } from './errors.ts';
import type { MeshEvent } from './event.ts';
import type { CheckItem, Health } from './source.ts';
import type { TraceContext } from './trace-context.ts';

/** One (event, route, entry of `to`) obligation as a target sees it. */
export interface Leg {
  readonly event: MeshEvent;
  readonly meta: DeliveryMeta;
  readonly route: string;
  /** Deliveries with the same key are sent in order; see {@link TargetFeatures.orderedBatch}. */
  readonly key: string | undefined;
  /** 1 for the first send. */
  readonly attempt: number;
  /** Set where the send is traced: goes into headers of the transport, in place of what the source passed on. */
  readonly trace?: TraceContext | undefined;
}

/** What became of one leg: accepted durably, certainly not accepted, or not known. */
export type SendResult =
  | { readonly status: 'confirmed' }
  | {
      readonly status: 'failed' | 'unknown';
      /** Stable code; the dead letter's cause. */
      readonly code: string;
      readonly message: string;
      /** False: sending the same again cannot succeed, so the leg is dead-lettered at once. */
      readonly retryable: boolean;
      /** True: the target as a whole cannot be reached; the lane pauses and no attempt is consumed. */
      readonly unavailable?: boolean | undefined;
      readonly retryAfterMs?: number | undefined;
    };

export const CONFIRMED: SendResult = Object.freeze({ status: 'confirmed' });

/** The result that a coded error means for a leg. */
export function resultOf(error: FairleadError): SendResult {
  return {
    status: error.sent === 'no' ? 'failed' : 'unknown',
    code: error.code,
    message: error.message,
    retryable: error.retryable || error.unavailable,
    unavailable: error.unavailable,
    retryAfterMs: error.retryAfterMs,
  };
}

export interface TargetFeatures {
  /** What `confirmed` stands for. */
  readonly durability: 'fsync' | 'replicated' | 'broker' | 'none';
  /**
   * Several legs of one key may stand in one `send`: the target delivers them in order, and when one fails none of its
   * key after it is confirmed. Where a key's legs go to several partitions, which have no order among them anyway, this
   * holds for each partition. Without this the lane sends one leg per key at a time.
   */
  readonly orderedBatch: boolean;
  /** Largest event accepted, in bytes as encoded; undefined where only the broker knows. */
  readonly maxBytes?: number | undefined;
  /** Attributes can travel beside the data (binary content mode). */
  readonly binaryMode: boolean;
  /** The broker takes only one connection of a target at a time: one that replaces another opens after that has closed. */
  readonly exclusive?: boolean | undefined;
}

/** How the lane batches for this target; adapters give defaults, `batch:` in the configuration overrides. */
export interface SendLimits {
  /** Legs in one `send`. */
  readonly maxEvents: number;
  /** Approximate bytes in one `send`. */
  readonly maxBytes: number;
  /** `send` calls under way at once. */
  readonly concurrency: number;
}

/** How a target tells its lane about the connection. Both may be called at any time and repeatedly. */
export interface TargetNotify {
  available(): void;
  unavailable(error: FairleadError): void;
}

/**
 * A destination on a broker.
 *
 * - `open` resolves once the first connection stands, under the same rules as a source's `open`; later losses are
 *   mended by the target itself, with `notify` telling the lane.
 * - `send` resolves (never rejects) with one result per leg, by index. It may be called up to `limits.concurrency`
 *   times at once. When `signal` aborts (timeout), what has no answer yet is `unknown`. The client library's own retries
 *   are off: one attempt is one attempt.
 * - `close` lets running sends end (bounded) and releases everything. Idempotent.
 */
export interface Target {
  readonly limits: SendLimits;
  open(notify: TargetNotify, signal: AbortSignal): Promise<void>;
  send(legs: readonly Leg[], signal: AbortSignal): Promise<readonly SendResult[]>;
  /** Events waiting at the broker behind this target, or undefined where that cannot be known. */
  backlog(): Promise<number | undefined>;
  check(): Promise<CheckItem[]>;
  health(): Health;
  close(): Promise<void>;
}
