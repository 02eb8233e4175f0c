import { equalJitter, RECONNECT } from '../core/backoff.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { DeadLetterInit, DeadLetterKeeper } from '../core/dead-letter.ts';
import { FairleadError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Cause, PendingLeg } from './leg.ts';

interface Waiting {
  readonly letter: DeadLetterInit;
  readonly kept: () => void;
}

const MAX_BATCH = 256;

/**
 * Writes dead letters in groups, one write at a time. A write that fails is tried again with backoff, forever: until
 * it succeeds the deliveries stay unsettled, which bounds what can wait here by the sources' windows.
 */
export class DeadLettering {
  readonly #keeper: DeadLetterKeeper;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  #waiting: Waiting[] = [];
  #writing = false;
  #failures = 0;
  #lastError: { code: string; message: string } | undefined;

  constructor(options: { keeper: DeadLetterKeeper; clock: Clock; random: Random; log: Log }) {
    this.#keeper = options.keeper;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The error of the last write while writes fail. */
  get lastError(): { code: string; message: string } | undefined {
    return this.#lastError;
  }

  /** Keeps a letter; `kept` is called once it is durable. */
  put(letter: DeadLetterInit, kept: () => void): void {
    this.#waiting.push({ letter, kept });
    if (this.#writing) return;
    this.#writing = true;
    queueMicrotask(() => this.#write());
  }

  #write(): void {
    const group = this.#waiting.slice(0, MAX_BATCH);
    this.#keeper.put(group.map(({ letter }) => letter)).then(
      () => {
        this.#failures = 0;
        this.#lastError = undefined;
        this.#waiting = this.#waiting.slice(group.length);
        for (const { kept } of group) kept();
        if (this.#waiting.length > 0) this.#write();
        else this.#writing = false;
      },
      (error: unknown) => {
        this.#failures += 1;
        const code = error instanceof FairleadError ? error.code : 'E_DEAD_LETTER_WRITE';
        this.#lastError = { code, message: messageOf(error) };
        this.#log.error({ code, waiting: this.#waiting.length }, `dead letters cannot be written: ${messageOf(error)}`);
        this.#clock.after(equalJitter(RECONNECT, this.#failures, this.#random), () => this.#write());
      },
    );
  }
}

/** The letter of a leg that cannot be delivered. */
export function letterOf(leg: PendingLeg, cause: Cause, clock: Clock): DeadLetterInit {
  return {
    event: leg.event,
    raw: undefined,
    contentType: leg.event.datacontenttype,
    code: cause.code,
    message: cause.message,
    attempts: leg.attempt,
    source: leg.tracker.source,
    meta: leg.meta,
    route: leg.route,
    target: leg.spec.lane.name,
    receivedAt: clock.wall() - (clock.now() - leg.receivedAt),
  };
}
