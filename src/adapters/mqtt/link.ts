import { equalJitter, RECONNECT } from '../../core/backoff.ts';
import type { Clock, Random } from '../../core/clock.ts';
import { connectForever, delay, HealthRecord } from '../../core/connection.ts';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Connection } from './connection.ts';

/** A connection that lasts less counts as another failed attempt, so that two clients with one id do not evict each other in a loop. */
const STABLE_MS = 10_000;

export interface LinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  connect(signal: AbortSignal): Promise<Connection>;
  /** A new connection stands: subscribe or begin to publish. A rejection counts as a failed attempt. */
  up(connection: Connection): Promise<void>;
  /** The connection that was up is gone. */
  down(error: FairleadError): void;
}

/** Keeps one connection, for ever: connects, tells, waits for the loss, connects again with jittered backoff. */
export class Link {
  readonly health: HealthRecord = new HealthRecord();
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #losses = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Connections lost so far. */
  get losses(): number {
    return this.#losses;
  }

  /** Resolves with the first connection; rejects when `signal` aborts or for what no retry cures. */
  async open(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      const connection = await this.#establish(either, false);
      this.#keeping = this.#keep(connection);
    } catch (error) {
      if (!either.aborted) this.health.down(error);
      throw error;
    }
  }

  /** Ends the connection cleanly. `before` runs while it still stands. */
  async close(before: (connection: Connection) => Promise<void> = async () => {}): Promise<void> {
    this.#closing.abort(new FairleadError({ code: 'E_CLOSED', message: 'closed', unavailable: true }));
    const connection = this.#connection;
    if (connection !== undefined) {
      await before(connection);
      await connection.end();
    }
    await this.#keeping;
    this.health.closed();
  }

  async #keep(first: Connection): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#closing;
    let connection = first;
    for (let short = 0; ; ) {
      const since = clock.now();
      const error = await connection.lost;
      this.#connection = undefined;
      if (signal.aborted) return;
      this.#losses += 1;
      this.health.down(error);
      this.#options.log.warn({ code: error.code }, error.message);
      this.#options.down(error);
      short = clock.now() - since < STABLE_MS ? short + 1 : 1;
      try {
        await delay(equalJitter(RECONNECT, short, random), signal, clock);
        connection = await this.#establish(signal, true);
      } catch {
        return; // closed meanwhile: nothing else ends an attempt that is not the first
      }
    }
  }

  /** `again`: nothing is final any more, since it has worked before. */
  #establish(signal: AbortSignal, again: boolean): Promise<Connection> {
    const { clock, random, log } = this.#options;
    const attempt = async (): Promise<Connection> => {
      try {
        return await this.#connectOnce(signal);
      } catch (error) {
        if (!again || signal.aborted || !(error instanceof FairleadError)) throw error;
        throw new FairleadError({ code: error.code, message: error.message, retryable: true, cause: error });
      }
    };
    const failed = (error: unknown, count: number): void => {
      this.health.down(error);
      log.warn({ code: error instanceof FairleadError ? error.code : undefined, attempt: count }, messageOf(error));
    };
    return connectForever(attempt, signal, failed, { clock, random });
  }

  async #connectOnce(signal: AbortSignal): Promise<Connection> {
    const connection = await this.#options.connect(signal);
    try {
      await this.#options.up(connection);
      signal.throwIfAborted();
    } catch (error) {
      await connection.end();
      throw error;
    }
    this.#connection = connection;
    this.health.up();
    return connection;
  }
}
