import type { MeshEvent } from './event.ts';

/** Where a delivery came from, e.g. `{ topic, partition, offset }`, `{ queue, tag }`, `{ messageId }`: printed in errors and dead letters. */
export type Position = Readonly<Record<string, string | number>>;

/** Native headers or properties of the broker that are not CloudEvents attributes. */
export type NativeHeaders = Readonly<Record<string, string | Buffer>>;

export interface DeliveryMeta {
  readonly position: Position;
  readonly headers?: NativeHeaders | undefined;
  /** The native key (Kafka record key, SQS group): not an attribute, but a target with `headers: pass` may carry it on. */
  readonly key?: Buffer | undefined;
  readonly principal?: string | undefined;
}

/** One received event. `attempt` is 1 the first time, more where the broker tells of a redelivery. */
export interface EventDelivery {
  readonly event: MeshEvent;
  readonly poison?: undefined;
  readonly attempt: number;
  /** Deliveries of one source with the same key are forwarded in order; undefined: no order. */
  readonly orderingKey: string | undefined;
  readonly meta: DeliveryMeta;
}

/** Bytes that could not be decoded: dead-lettered verbatim with the reason, never retried. */
export interface PoisonDelivery {
  readonly event?: undefined;
  readonly poison: {
    readonly code: string;
    readonly message: string;
    readonly raw: Buffer;
    readonly contentType?: string | undefined;
  };
  readonly attempt: number;
  readonly orderingKey: string | undefined;
  readonly meta: DeliveryMeta;
}

export type Delivery = EventDelivery | PoisonDelivery;

/** How a delivery ends: done, give it back to the broker for later, or refuse it for good. */
export type Outcome =
  | { readonly verdict: 'ack' }
  | { readonly verdict: 'retry'; readonly reason: string; readonly delayMs?: number | undefined }
  | { readonly verdict: 'reject'; readonly reason: string };

export const ACK: Outcome = Object.freeze({ verdict: 'ack' });

/**
 * What a source hands over at once. The pipeline calls {@link settle} exactly once for every index, in any order and
 * possibly much later; it is synchronous, never throws, and the source batches the acknowledgements itself.
 */
export interface DeliveryBatch {
  readonly deliveries: readonly Delivery[];
  settle(index: number, outcome: Outcome): void;
}
