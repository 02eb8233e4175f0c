import { fullJitter } from '../core/backoff.ts';
import { delay } from '../core/connection.ts';
import { FairleadError, messageOf } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import type { Leg, SendResult, Target } from '../core/target.ts';

type Failure = Exclude<SendResult, { status: 'confirmed' }>;

/** What became of a number of events; `failure` is why it stopped before all were confirmed. */
export interface Sent {
  readonly confirmed: number;
  readonly failure?: { readonly code: string; readonly message: string; readonly unavailable: boolean };
}

const BACKOFF = { policy: 'exponential', delayMs: 200, maxMs: 2_000 } as const;

/**
 * Opens a target and sends `count` events in batches of its own size, in order, trying again what may be tried again, until
 * all are confirmed, one cannot be sent, or the time is over.
 */
export async function sendAll(
  target: Target,
  make: () => MeshEvent,
  count: number,
  timeoutMs: number,
  confirmed: (id: string) => void,
): Promise<Sent> {
  const signal = AbortSignal.timeout(timeoutMs);
  const notOpened = await open(target, signal, timeoutMs);
  if (notOpened !== undefined) return { confirmed: 0, failure: notOpened };
  let done = 0;
  let waiting: Leg[] = [];
  for (let attempt = 1; done < count; ) {
    for (const room = Math.min(target.limits.maxEvents, count - done); waiting.length < room; )
      waiting.push(leg(make()));
    const results = await target.send(waiting, signal);
    const left: Leg[] = [];
    let failure: Failure | undefined;
    for (const [i, one] of waiting.entries()) {
      const result = results[i];
      if (result?.status === 'confirmed') {
        done += 1;
        confirmed(one.event.id);
        continue;
      }
      left.push(one);
      if (failure === undefined || failure.retryable) failure = result;
    }
    waiting = left;
    if (failure === undefined) {
      attempt = 1;
      continue;
    }
    const { code, message, unavailable = false } = failure;
    if (!failure.retryable || signal.aborted) return { confirmed: done, failure: { code, message, unavailable } };
    const wait = failure.retryAfterMs ?? fullJitter(BACKOFF, attempt, Math.random);
    await delay(wait, signal).catch(() => undefined); // the next send answers at once then
    attempt += 1;
  }
  return { confirmed: done };
}

/** Undefined once the target is open, else why it is not. */
async function open(target: Target, signal: AbortSignal, timeoutMs: number): Promise<Sent['failure']> {
  try {
    await target.open({ available() {}, unavailable() {} }, signal);
    return undefined;
  } catch (error) {
    if (error instanceof FairleadError)
      return { code: error.code, message: error.message, unavailable: error.unavailable };
    const {
      code = 'E_UNAVAILABLE',
      message = signal.aborted ? `no connection within ${timeoutMs} ms` : messageOf(error),
    } = target.health().lastError ?? {};
    return { code, message, unavailable: true };
  }
}

function leg(event: MeshEvent): Leg {
  return { event, meta: { position: {} }, route: 'publish', key: undefined, attempt: 1 };
}
