import type { Channel, ChannelModel } from 'amqplib';
import { equalJitter, RECONNECT } from '../../core/backoff.ts';
import type { Clock, Random } from '../../core/clock.ts';
import { connectForever, delay } from '../../core/connection.ts';
import { FairleadError } from '../../core/errors.ts';
import { amqpError, transient } from './errors.ts';
import { type Connected, type Link, timedOut } from './link.ts';

/** A channel that lived shorter than this was not worth a fresh start of the backoff. */
const STABLE_MS = 10_000;
const CLOSE_MS = 2_000;

/**
 * One channel from its set-up to its end: the epoch that delivery tags and confirms belong to. After the end nothing may be
 * sent for it, since a tag of another channel would close the new one (406).
 */
export class Lease<C extends Channel> {
  readonly channel: C;
  readonly connected: Connected;
  /** Resolves with the reason when the channel is gone. */
  readonly ended: Promise<FairleadError>;
  #alive = true;
  #error: FairleadError | undefined;
  #resolve: (error: FairleadError) => void = () => {};

  /** Attaches the listeners; call it in the same turn in which amqplib hands over the channel. */
  constructor(channel: C, connected: Connected) {
    this.channel = channel;
    this.connected = connected;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    channel.on('error', (error) => this.end(amqpError(error, 'channel')));
    channel.on('close', () => this.end());
    if (connected.lost !== undefined) this.end(connected.lost);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Ends the lease here and now; without an error the connection's is the reason, which comes in the same turn. */
  end(error?: FairleadError): void {
    this.#error ??= error;
    if (!this.#alive) return;
    this.#alive = false;
    queueMicrotask(() => {
      const closed = new FairleadError({ code: 'E_RABBITMQ_CONNECTION', message: 'channel closed', unavailable: true });
      this.#resolve(this.#error ?? this.connected.lost ?? closed);
    });
  }

  /** Closes the channel, after what was sent on it; bounded. Whatever comes of it, the lease is over. */
  async close(clock: Clock, reason?: FairleadError): Promise<void> {
    const closing = this.#alive ? within(this.channel.close(), CLOSE_MS, clock, 'close the channel') : undefined;
    if (reason !== undefined) this.end(reason);
    await closing?.catch(() => undefined); // gone already: that is what was wanted
    this.end();
  }
}

/** What a source or target does with its channel. All are called in turn, never at once. */
export interface Role<C extends Channel> {
  makeChannel(model: ChannelModel): Promise<C>;
  /** Checks or declares the topology, consumes. The lease may end meanwhile: then this fails or is abandoned. */
  setUp(lease: Lease<C>): Promise<void>;
  up(lease: Lease<C>): void;
  /** An attempt failed (no lease was up) or the lease that was up has ended. */
  down(error: FairleadError, lease?: Lease<C>): void;
}

export interface SessionTimes {
  readonly setUpMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Keeps one channel set up: when it is gone it is made again with jittered backoff, forever, until `close`. */
export class Session<C extends Channel> {
  readonly #link: Link;
  readonly #role: Role<C>;
  readonly #times: SessionTimes;
  readonly #stop = new AbortController();
  #lease: Lease<C> | undefined;
  #running: Promise<void> | undefined;

  constructor(link: Link, role: Role<C>, times: SessionTimes) {
    this.#link = link;
    this.#role = role;
    this.#times = times;
  }

  /** The channel that is set up and stands. */
  get lease(): Lease<C> | undefined {
    return this.#lease?.alive === true ? this.#lease : undefined;
  }

  /** Resolves when the channel is set up for the first time; rejects for what asking again cannot cure. */
  async open(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#stop.signal, this.#link.closed]);
    const lease = await connectForever(
      () => this.#establish(until),
      until,
      (error) => this.#failed(error, until),
      this.#times,
    );
    await this.#start(lease, until);
    this.#running = this.#keep(lease);
  }

  /** Ends the session; `last` may still use the channel. Idempotent. */
  async close(last?: (lease: Lease<C>) => void): Promise<void> {
    const { lease } = this;
    this.#stop.abort(new FairleadError({ code: 'E_RABBITMQ_CLOSED', message: 'closed', unavailable: true }));
    if (lease !== undefined) {
      last?.(lease);
      await lease.close(this.#times.clock);
    }
    await this.#running;
  }

  #failed(error: unknown, until: AbortSignal): void {
    if (!until.aborted) this.#role.down(amqpError(error, 'connect'));
  }

  async #start(lease: Lease<C>, until: AbortSignal): Promise<void> {
    if (until.aborted) await lease.close(this.#times.clock); // closed while it was being made
    until.throwIfAborted();
    this.#lease = lease;
    this.#role.up(lease);
  }

  async #keep(first: Lease<C>): Promise<void> {
    const { clock, random } = this.#times;
    const until = AbortSignal.any([this.#stop.signal, this.#link.closed]);
    let lease = first;
    let flaps = 0;
    try {
      for (;;) {
        const since = clock.now();
        const error = await lease.ended;
        until.throwIfAborted();
        this.#role.down(transient(error), lease);
        flaps = clock.now() - since < STABLE_MS ? flaps + 1 : 0;
        await delay(equalJitter(RECONNECT, Math.max(1, flaps), random), until, clock);
        lease = await connectForever(
          () => this.#establish(until).catch((failure) => Promise.reject(transient(amqpError(failure, 'connect')))),
          until,
          (failure) => this.#failed(failure, until),
          this.#times,
        );
        await this.#start(lease, until);
      }
    } catch (error) {
      if (!until.aborted) throw error;
    }
  }

  async #establish(until: AbortSignal): Promise<Lease<C>> {
    const { setUpMs, clock } = this.#times;
    const connected = await unlessAborted(this.#link.get(), until);
    const made = this.#role.makeChannel(connected.model).then((channel) => new Lease(channel, connected));
    let lease: Lease<C> | undefined;
    try {
      lease = await within(made, setUpMs, clock, 'open a channel');
      until.throwIfAborted();
      // A drop during set-up does not always fail the set-up itself, so the two are raced.
      const lost = lease.ended.then((error) => Promise.reject(error));
      const set = Promise.race([this.#role.setUp(lease), lost]);
      await within(unlessAborted(set, until), setUpMs, clock, 'set up the channel');
      return lease;
    } catch (error) {
      const failure = amqpError(error, 'set up');
      if (failure.code === 'E_RABBITMQ_TIMEOUT') connected.kill(failure);
      else await lease?.close(clock);
      until.throwIfAborted();
      throw connected.lost ?? failure;
    }
  }
}

/** The promise's outcome, or `E_RABBITMQ_TIMEOUT` after `ms`. */
export async function within<T>(work: Promise<T>, ms: number, clock: Clock, doing: string): Promise<T> {
  let cancel: () => void = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(ms, () => reject(timedOut(doing, ms)));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}

/** The promise's outcome, or the signal's reason as soon as it aborts. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
