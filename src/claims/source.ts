import { encodeJson } from '../cloudevents/json.ts';
import { STRUCTURED_JSON } from '../cloudevents/media-type.ts';
import { equalJitter, RECONNECT } from '../core/backoff.ts';
import type { ClaimStore } from '../core/claim-store.ts';
import type { Clock, Random } from '../core/clock.ts';
import { delay } from '../core/connection.ts';
import type { Delivery, DeliveryBatch, EventDelivery } from '../core/delivery.ts';
import { FairleadError } from '../core/errors.ts';
import { type AttributeValue, newExtensions } from '../core/event.ts';
import type { Log } from '../core/log.ts';
import type { CheckItem, Health, Intake, Source } from '../core/source.ts';
import { DATAREF } from './target.ts';

export interface ClaimSourceOptions {
  readonly store: ClaimStore;
  /** Largest data fetched. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Fetched data that is held before it is handed over. */
const SLICE_BYTES = 4 * 2 ** 20;

/**
 * A source whose events get the data back that a claim check has kept: those without data whose `dataref` is one of the
 * store's. Batches go on in the order they came; while one waits for the store the source is paused. What cannot be had
 * for good is poison, with the event as it came.
 */
export class ClaimSource implements Source {
  readonly #source: Source;
  readonly #o: ClaimSourceOptions;
  readonly #closing = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #held = false;
  readonly #resumed: (() => void)[] = [];

  constructor(source: Source, options: ClaimSourceOptions) {
    this.#source = source;
    this.#o = options;
  }

  open(intake: Intake, signal: AbortSignal): Promise<void> {
    return this.#source.open({ batch: (batch) => this.#take(batch, intake) }, signal);
  }

  pause(): void {
    this.#held = true;
    this.#source.pause();
  }

  resume(): void {
    this.#held = false;
    for (const go of this.#resumed.splice(0)) go();
    if (this.#waiting === 0) this.#source.resume();
  }

  lag(): Promise<number | undefined> {
    return this.#source.lag();
  }

  check(): Promise<CheckItem[]> {
    return this.#source.check();
  }

  health(): Health {
    return this.#source.health();
  }

  drained(): Promise<void> {
    return this.#source.drained();
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.#source.close();
  }

  #take(batch: DeliveryBatch, intake: Intake): void {
    if (this.#waiting === 0 && !batch.deliveries.some(isClaim)) {
      intake.batch(batch);
      return;
    }
    if (this.#waiting === 0) this.#source.pause();
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      await this.#handOver(batch, intake);
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#held && !this.#closing.signal.aborted) this.#source.resume();
    });
  }

  /** In slices, so that what was fetched is counted in the window before more is. */
  async #handOver(batch: DeliveryBatch, intake: Intake): Promise<void> {
    let slice: Delivery[] = [];
    let bytes = 0;
    for (const [index, delivery] of batch.deliveries.entries()) {
      const redeemed = isClaim(delivery) ? await this.#redeem(delivery) : delivery;
      if (this.#closing.signal.aborted) return; // the broker keeps what was never handed over
      slice.push(redeemed);
      bytes += redeemed.event?.bytes ?? 0;
      if (bytes < SLICE_BYTES && index < batch.deliveries.length - 1) continue;
      const first = index + 1 - slice.length;
      intake.batch({ deliveries: slice, settle: (at, outcome) => batch.settle(first + at, outcome) });
      [slice, bytes] = [[], 0];
      if (this.#held) await new Promise<void>((resolve) => this.#resumed.push(resolve));
    }
  }

  /** Tries for as long as the store may come back. */
  async #redeem(delivery: EventDelivery): Promise<Delivery> {
    const { store, maxBytes, clock, random, log } = this.#o;
    const { event } = delivery;
    for (let failures = 1; !this.#closing.signal.aborted; failures += 1) {
      try {
        const data = await store.get(String(event.extensions[DATAREF]), maxBytes);
        if (data === undefined) return delivery;
        const extensions: Record<string, AttributeValue> = Object.assign(newExtensions(), event.extensions);
        delete extensions[DATAREF];
        return { ...delivery, event: event.with({ data, extensions }) };
      } catch (error) {
        const { code, message, retryable } = coded(error);
        if (!retryable) return poison(delivery, code, message);
        log.warn({ code }, message);
        await delay(equalJitter(RECONNECT, failures, random), this.#closing.signal, clock).catch(() => undefined);
      }
    }
    return delivery;
  }
}

function isClaim(delivery: Delivery): delivery is EventDelivery {
  return (
    delivery.event !== undefined &&
    delivery.event.data === undefined &&
    typeof delivery.event.extensions[DATAREF] === 'string'
  );
}

function coded(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  return new FairleadError({ code: 'E_CLAIM_STORE', message: 'the claim store failed', retryable: true, cause: error });
}

function poison({ event, attempt, orderingKey, meta }: EventDelivery, code: string, message: string): Delivery {
  return {
    poison: { code, message, raw: encodeJson(event), contentType: STRUCTURED_JSON },
    attempt,
    orderingKey,
    meta,
  };
}
