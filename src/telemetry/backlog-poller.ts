import type { Clock, Random } from '../core/clock.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Target } from '../core/target.ts';

export interface PolledTarget {
  readonly name: string;
  readonly target: Pick<Target, 'backlog'>;
  /** Hears of `depth` events as of at most `ageMs` ago. */
  readonly onDepth: (depth: number, ageMs: number) => void;
}

export interface BacklogPollerOptions {
  readonly targets: readonly PolledTarget[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Default 1 s. */
  readonly intervalMs?: number | undefined;
}

const INTERVAL_MS = 1_000;
/** Polls of replicas that were started together drift apart. */
const JITTER = 0.25;
/** What cannot be told is asked for ever more seldom, up to this. */
const MOST_MS = 30_000;
/** An answer that took longer is too old to be of use. */
const STALE_MS = 10_000;

/**
 * Asks brokers how many events wait behind targets. Each target has one question under way at most; the next is asked an interval
 * after the answer. A target that does not answer holds up no other.
 */
export class BacklogPoller {
  readonly #o: BacklogPollerOptions;
  readonly #cancels = new Map<PolledTarget, () => void>();
  #stopped = false;

  constructor(options: BacklogPollerOptions) {
    this.#o = options;
    // Not all at once.
    for (const target of options.targets) this.#wait(target, this.#interval * options.random(), 0, false);
  }

  /** Nothing is asked or told any more. Idempotent. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  get #interval(): number {
    return this.#o.intervalMs ?? INTERVAL_MS;
  }

  /** @param unknown Answers in a row that told nothing. */
  #wait(target: PolledTarget, ms: number, unknown: number, failing: boolean): void {
    if (this.#stopped) return;
    this.#cancels.set(
      target,
      this.#o.clock.after(ms, () => void this.#poll(target, unknown, failing)),
    );
  }

  async #poll(polled: PolledTarget, unknown: number, failing: boolean): Promise<void> {
    const { clock, random, log } = this.#o;
    const { name, target, onDepth } = polled;
    const askedAt = clock.now();
    let depth: number | undefined;
    let failed = false;
    try {
      depth = await target.backlog();
    } catch (error) {
      failed = true;
      const fields = { target: name, code: codeOf(error) };
      if (!failing && !this.#stopped) log.warn(fields, `the backlog cannot be polled: ${messageOf(error)}`);
    }
    if (this.#stopped) return;
    const ageMs = clock.now() - askedAt;
    const known = depth !== undefined && Number.isFinite(depth) && depth >= 0 && ageMs <= STALE_MS;
    if (known) onDepth(depth as number, ageMs);
    const silent = known ? 0 : unknown + 1;
    const ms = Math.min(MOST_MS, this.#interval * 2 ** Math.min(silent, 10));
    this.#wait(polled, ms * (1 + JITTER * random()), silent, failed);
  }
}
