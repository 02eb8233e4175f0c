import { type Backoff, equalJitter, RECONNECT } from './backoff.ts';
import { type Clock, type Random, systemClock } from './clock.ts';
import { FairleadError, messageOf } from './errors.ts';
import type { Health } from './source.ts';

/** Keeps what a component's `health()` answers: the state and the last actual error. */
export class HealthRecord {
  #status: Health['status'] = 'starting';
  #lastError: Health['lastError'];

  up(): void {
    this.#status = 'up';
  }

  down(error: unknown, code = 'E_UNAVAILABLE'): void {
    this.#status = 'down';
    this.error(error, code);
  }

  /** Notes an error that does not change the state. */
  error(error: unknown, code = 'E_ERROR'): void {
    const own = error instanceof FairleadError ? error.code : code;
    this.#lastError = { code: own, message: messageOf(error), at: new Date().toISOString() };
  }

  closed(): void {
    this.#status = 'closed';
  }

  get status(): Health['status'] {
    return this.#status;
  }

  read(detail?: Health['detail']): Health {
    return { status: this.#status, lastError: this.#lastError, ...(detail === undefined ? {} : { detail }) };
  }
}

/**
 * Calls `connect` until it succeeds, with jittered backoff, forever; `onFailure` hears of each failed attempt. Rejects only
 * when `signal` aborts (with its reason) or when `connect` throws a {@link FairleadError} that is not retryable.
 */
export async function connectForever<T>(
  connect: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: unknown, attempt: number) => void,
  options: { backoff?: Backoff; clock?: Clock; random?: Random } = {},
): Promise<T> {
  const { backoff = RECONNECT, clock = systemClock, random = Math.random } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await connect();
    } catch (error) {
      if (error instanceof FairleadError && !error.retryable && !error.unavailable) throw error;
      onFailure(error, attempt);
      await delay(equalJitter(backoff, attempt, random), signal, clock);
    }
  }
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
export function delay(ms: number, signal: AbortSignal, clock: Clock = systemClock): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
