import type { EachBatchPayload } from 'kafkajs';
import type { Clock } from '../../core/clock.ts';
import { kafkaError, protocolType } from './errors.ts';
import type { PartitionWindow } from './partition.ts';

/** kafkajs' one commit without a retry loop: a retry could go out under a later generation, for partitions that are gone. */
type CommitFn = EachBatchPayload['commitOffsetsIfNecessary'];

const STALE = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID']);

/** Pause after a commit that failed. */
const RETRY_MS = 1_000;

/**
 * Commits the watermarks of the windows a short while after they moved, all in one request. Only windows that are ours by
 * the latest join are asked, and kafkajs sends the generation of that join: a stale commit is refused by the coordinator.
 */
export class Commits {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #windows: () => Iterable<PartitionWindow>;
  readonly #onError: (error: unknown) => void;
  #commit: CommitFn | undefined;
  #cancel: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    clock: Clock,
    intervalMs: number,
    windows: () => Iterable<PartitionWindow>,
    onError: (error: unknown) => void,
  ) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#windows = windows;
    this.#onError = onError;
  }

  /** With a function from the consumer's latest batch commits go out; without one they wait. */
  bind(commit: CommitFn | undefined): void {
    this.#commit = commit;
    if (commit !== undefined) this.schedule();
  }

  /** A watermark moved: commit after the interval. */
  schedule(): void {
    this.#after(this.#intervalMs);
  }

  #after(ms: number): void {
    if (this.#cancel !== undefined || this.#commit === undefined) return;
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      this.flush().catch((error) => {
        this.#onError(error);
        this.#after(Math.max(RETRY_MS, this.#intervalMs));
      });
    });
  }

  /** Commits what is due now, after a commit already under way. Rejects with a coded error. */
  flush(): Promise<void> {
    const next = this.#running.then(() => this.#once());
    this.#running = next.catch(() => {}); // whoever asked for it hears of it
    return next;
  }

  /** Whether anything settled is not committed yet. */
  get due(): boolean {
    for (const window of this.#windows()) if (window.due !== undefined) return true;
    return false;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#commit = undefined;
  }

  async #once(): Promise<void> {
    const commit = this.#commit;
    if (commit === undefined) return;
    const topics = new Map<string, { partition: number; offset: string }[]>();
    const committed: [PartitionWindow, number][] = [];
    for (const window of this.#windows()) {
      const position = window.due;
      if (position === undefined) continue;
      const partitions = topics.get(window.topic) ?? [];
      if (partitions.length === 0) topics.set(window.topic, partitions);
      partitions.push({ partition: window.partition, offset: String(position) });
      committed.push([window, position]);
    }
    if (committed.length === 0) return;
    try {
      await commit({ topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) });
    } catch (error) {
      // Refused for its generation: nothing can be committed before the next join binds again.
      if (STALE.has(protocolType(error) ?? '') && this.#commit === commit) this.#commit = undefined;
      throw kafkaError(error, 'commit');
    }
    for (const [window, position] of committed) window.committed(position);
  }
}
