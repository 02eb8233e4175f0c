import type { ClaimStore } from '../core/claim-store.ts';
import { codeOf, FairleadError, messageOf } from '../core/errors.ts';
import { type AttributeValue, type MeshEvent, newExtensions } from '../core/event.ts';
import type { CheckItem, Health } from '../core/source.ts';
import {
  type Leg,
  resultOf,
  type SendLimits,
  type SendResult,
  type Target,
  type TargetNotify,
} from '../core/target.ts';

/** The attribute that leads to the data (CloudEvents extension "Dataref"). */
export const DATAREF = 'dataref';

/**
 * A target whose large data goes by claim check: it is kept in a store first, and the event is sent without it and with
 * `dataref`. While the store cannot keep it, the lane waits as for a broker that cannot be reached, and nothing overtakes.
 */
export class ClaimCheckTarget implements Target {
  readonly #target: Target;
  readonly #store: ClaimStore;
  readonly #over: number;
  #claimed = 0;

  /** Data of more than `over` bytes is kept in the store. */
  constructor(target: Target, store: ClaimStore, over: number) {
    this.#target = target;
    this.#store = store;
    this.#over = over;
  }

  get limits(): SendLimits {
    return this.#target.limits;
  }

  open(notify: TargetNotify, signal: AbortSignal): Promise<void> {
    return this.#target.open(notify, signal);
  }

  async send(legs: readonly Leg[], signal: AbortSignal): Promise<readonly SendResult[]> {
    if (!legs.some(({ event }) => this.#isLarge(event))) return this.#target.send(legs, signal);
    let smaller: readonly Leg[];
    try {
      smaller = await Promise.all(legs.map((leg) => (this.#isLarge(leg.event) ? this.#claim(leg) : leg)));
    } catch (error) {
      // All of them, so that order holds.
      const failure = failureOf(error);
      return legs.map(() => failure);
    }
    if (!signal.aborted) return this.#target.send(smaller, signal);
    const late = resultOf(
      new FairleadError({ code: 'E_TIMEOUT', message: 'keeping the data took all the time', retryable: true }),
    );
    return legs.map(() => late);
  }

  backlog(): Promise<number | undefined> {
    return this.#target.backlog();
  }

  async check(): Promise<CheckItem[]> {
    const items = await this.#target.check();
    const what = 'claim store';
    try {
      await this.#store.check();
      return [...items, { what, ok: true }];
    } catch (error) {
      return [...items, { what, ok: false, code: codeOf(error), message: messageOf(error) }];
    }
  }

  health(): Health {
    const health = this.#target.health();
    return { ...health, detail: { ...health.detail, claimed: this.#claimed } };
  }

  close(): Promise<void> {
    return this.#target.close();
  }

  #isLarge({ data }: MeshEvent): boolean {
    return data !== undefined && data.length > this.#over;
  }

  async #claim({ event, meta, route, key, attempt, trace }: Leg): Promise<Leg> {
    const reference = await this.#store.put(event.data as Buffer);
    this.#claimed += 1;
    const extensions: Record<string, AttributeValue> = Object.assign(newExtensions(), event.extensions);
    extensions[DATAREF] = reference;
    return { event: event.with({ data: undefined, extensions }), meta, route, key, attempt, trace };
  }
}

function failureOf(error: unknown): SendResult {
  if (error instanceof FairleadError) return resultOf(error);
  return resultOf(
    new FairleadError({ code: 'E_CLAIM_STORE', message: messageOf(error), retryable: true, unavailable: true }),
  );
}
