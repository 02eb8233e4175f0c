import type { DeliveryBatch } from './delivery.ts';

/** State of a connection with the last actual error, for health pages and `/readyz`. */
export interface Health {
  readonly status: 'starting' | 'up' | 'down' | 'closed';
  /** The last error seen, kept after recovery so that an operator can read what happened. */
  readonly lastError?: { readonly code: string; readonly message: string; readonly at: string } | undefined;
  readonly detail?: Readonly<Record<string, string | number>> | undefined;
}

/** One line of `fairlead check`: what was tried and what is wrong, with what to do. */
export interface CheckItem {
  readonly what: string;
  readonly ok: boolean;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

/** What a source declares about itself; shared suites and lint gate on these, with the name as the reason. */
export interface SourceFeatures {
  /** An unsettled delivery comes again after a crash. */
  readonly redelivers: boolean;
  /** `retry` gives a single delivery back to the broker (else the pipeline keeps retrying in its lanes). */
  readonly returns: boolean;
  /** `retry` with a delay is honoured by the broker. */
  readonly delayedRetry: boolean;
  /** `reject` moves the delivery aside at the broker (DLX, redrive policy). */
  readonly rejects: boolean;
  /** Order of deliveries with the same native key holds. */
  readonly keyedOrder: boolean;
  /** Several replicas share the work. */
  readonly competing: boolean;
  /** Reads a committed position per partition. */
  readonly partitioned: boolean;
}

/** Where a source puts its batches. */
export interface Intake {
  /** Takes over a batch. Never throws, never blocks; `pause()` on the source is how the pipeline slows it down. */
  batch(batch: DeliveryBatch): void;
}

/**
 * A subscription on a broker. Lifecycle: `open` once, then any number of `pause`/`resume`, then `close` once.
 *
 * - `open` resolves when the subscription is established the first time. With an unreachable broker it keeps trying
 *   with jittered backoff until `signal` aborts; it rejects, with a coded error, for what only another configuration
 *   cures. What an operator may cure at the broker (credentials, a missing queue) each adapter settles in its errors.ts:
 *   reject at the first open so that a typo is seen at once, or show it in health and keep trying.
 * - After `open` a lost connection is re-established by the source itself, forever; {@link Source.health} tells.
 * - `pause` stops handing over batches soon (what is already buffered may still come, bounded); unsettled deliveries
 *   are kept alive meanwhile (heartbeats, visibility).
 * - `drained` flushes the acknowledgements already settled (commits, acks, deletes) and resolves when the broker has them.
 * - `close` flushes settled acknowledgements, leaves the unsettled to the broker, releases everything. Idempotent.
 */
export interface Source {
  open(intake: Intake, signal: AbortSignal): Promise<void>;
  pause(): void;
  resume(): void;
  /** Events waiting at the broker, or undefined where that cannot be known. */
  lag(): Promise<number | undefined>;
  /** Connects on its own, verifies that the subscription would work and disconnects; never consumes. */
  check(): Promise<CheckItem[]>;
  health(): Health;
  drained(): Promise<void>;
  close(): Promise<void>;
}
