import type { Clock } from '../../core/clock.ts';
import type { Entry, Lease } from './entry.ts';

/** SQS ends a message's invisibility 12 h after its receive, whatever is asked for; a minute before is safe. */
const LIMIT_MS = 12 * 3_600_000 - 60_000;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly visibilityMs: number;
  /** Keeps the entry invisible for another `visibilityMs`. */
  readonly extend: (entry: Entry) => void;
  /** Lets the entry go because the 12 h limit is near. */
  readonly release: (entry: Entry) => void;
}

/**
 * Keeps every unsettled event invisible from the time of its receive, whether it waits here, in a lane or at a target.
 * Leases of one length fall due in the order of receive, so one timer for the first serves all.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  /** In the order in which they fall due. */
  readonly #leases = new Set<Lease>();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  track(lease: Lease): void {
    lease.dueAt = lease.receivedAt + this.#options.visibilityMs / 2;
    this.#leases.add(lease);
    this.#arm();
  }

  /** One entry of the lease is settled: it is not extended any more. */
  settled(lease: Lease): void {
    lease.open -= 1;
    if (lease.open === 0) this.#leases.delete(lease);
  }

  /** Everything still unsettled; the leases end. */
  stop(): Entry[] {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
    const open = [...this.#leases].flatMap((lease) => lease.entries.filter((entry) => entry.end === undefined));
    this.#leases.clear();
    return open;
  }

  #arm(): void {
    if (this.#cancel !== undefined || this.#stopped) return;
    const [first] = this.#leases;
    if (first === undefined) return;
    const { clock } = this.#options;
    this.#cancel = clock.after(first.dueAt - clock.now(), () => {
      this.#cancel = undefined;
      this.#beat();
      this.#arm();
    });
  }

  #beat(): void {
    const { clock, visibilityMs } = this.#options;
    const now = clock.now();
    // those that fall due soon go along: full calls of ten, and fewer of them
    const until = now + visibilityMs / 8;
    for (const lease of [...this.#leases]) {
      if (lease.dueAt > until) break;
      this.#leases.delete(lease);
      if (now - lease.receivedAt + visibilityMs > LIMIT_MS) {
        this.#each(lease, this.#options.release);
        continue;
      }
      this.#each(lease, this.#options.extend);
      lease.dueAt = now + visibilityMs / 2;
      this.#leases.add(lease);
    }
  }

  #each(lease: Lease, fn: (entry: Entry) => void): void {
    for (const entry of lease.entries) if (entry.end === undefined && !entry.lapsed) fn(entry);
  }
}
