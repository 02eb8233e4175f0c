import type { DeliveryMeta } from './delivery.ts';
import type { MeshEvent } from './event.ts';

/** An event (or bytes that never became one) that could not be delivered, with its cause. */
export interface DeadLetterInit {
  /** The event as it was to be sent; undefined for poison. */
  readonly event: MeshEvent | undefined;
  /** The bytes of poison, verbatim. */
  readonly raw: Buffer | undefined;
  readonly contentType: string | undefined;
  /** Stable cause code. */
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly source: string;
  readonly meta: DeliveryMeta;
  /** Undefined where no route was involved (poison, unmatched). */
  readonly route: string | undefined;
  readonly target: string | undefined;
  /** Wall-clock milliseconds of the receipt. */
  readonly receivedAt: number;
}

/** Keeps dead letters durably. */
export interface DeadLetterKeeper {
  /** Resolves when all are on disk; rejects with a coded error when they are not, and the caller tries again. */
  put(letters: readonly DeadLetterInit[]): Promise<void>;
  /** The wire format: a CloudEvent that wraps the letter, for a dead-letter target. */
  wrap(letter: DeadLetterInit): MeshEvent;
}
