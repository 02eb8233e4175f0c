import type { EventDelivery } from '../core/delivery.ts';
import type { Refusal } from '../core/validation.ts';
import type { SourceIntake } from './intake.ts';
import { Deque } from './queue.ts';
import type { RoutePlan } from './route-plan.ts';
import type { BatchTracker } from './tracker.ts';

/** A delivery that a route has taken, before its legs are made. */
export interface Candidate {
  readonly plan: RoutePlan;
  readonly intake: SourceIntake;
  readonly tracker: BatchTracker;
  readonly index: number;
  readonly delivery: EventDelivery;
  /** Undefined: no order. */
  readonly key: string | undefined;
  readonly bytes: number;
  /** Monotonic milliseconds of the receipt. */
  readonly receivedAt: number;
}

/** What becomes of candidates. */
export interface AdmissionOwner {
  admitted(candidate: Candidate): void;
  refused(candidate: Candidate, refusal: Refusal): void;
  /** The route of a candidate under the plan that is in force; undefined where there is none of its name. */
  routeOf(candidate: Candidate): RoutePlan | undefined;
  /** Candidates that waited were let through: their lanes may send. */
  resumed(intake: SourceIntake): void;
}

interface Line {
  readonly waiting: Deque<Candidate>;
  readonly leave: () => void;
  /** Of the latest wait; what comes of earlier ones is of no interest. */
  wait: number;
}

/**
 * Asks a route's validator. A candidate whose validator cannot say yet waits, and so do those of the same route, source
 * and key after it; everything else goes on. What waits is unsettled, so the windows of the sources bound it.
 */
export class Admission {
  readonly #owner: AdmissionOwner;
  readonly #lines = new Map<string, Line>();
  /** Also those of candidates without a key. */
  readonly #all = new Set<Line>();
  #waiting = 0;
  #closed = false;

  constructor(owner: AdmissionOwner) {
    this.#owner = owner;
  }

  /** Candidates whose validator cannot say yet, and those behind them. */
  get waiting(): number {
    return this.#waiting;
  }

  take(candidate: Candidate): void {
    const line = this.#lines.size === 0 ? undefined : this.#lines.get(nameOf(candidate) ?? '');
    if (line !== undefined) {
      this.#waiting += 1;
      line.waiting.push(candidate);
      return;
    }
    const wait = this.#decide(candidate, candidate.plan);
    if (wait === undefined) return;
    this.#waiting += 1;
    this.#wait(this.#begin(candidate), wait);
  }

  /** The plan has been swapped: what waits is held against what its route says now. */
  reconsider(): void {
    for (const line of [...this.#all]) this.#advance(line);
  }

  /** What waits stays unsettled. */
  close(): void {
    this.#closed = true;
  }

  #decide(candidate: Candidate, plan: RoutePlan): Promise<void> | undefined {
    const verdict = plan.validator?.check(candidate.delivery.event);
    if (verdict instanceof Promise) return verdict;
    if (verdict === undefined) this.#owner.admitted(candidate);
    else this.#owner.refused(candidate, verdict);
    return undefined;
  }

  #reconsider(candidate: Candidate, plan: RoutePlan | undefined): Promise<void> | undefined {
    if (candidate.tracker.detached) return undefined; // it has gone back to its broker meanwhile
    if (plan !== undefined) return this.#decide(candidate, plan);
    this.#owner.refused(candidate, removed(candidate));
    return undefined;
  }

  #begin(candidate: Candidate): Line {
    const waiting = new Deque<Candidate>();
    waiting.push(candidate);
    const name = nameOf(candidate);
    const leave = (): void => {
      this.#all.delete(line);
      if (name !== undefined) this.#lines.delete(name);
    };
    const line: Line = { waiting, leave, wait: 0 };
    this.#all.add(line);
    if (name !== undefined) this.#lines.set(name, line);
    return line;
  }

  #wait(line: Line, until: Promise<void>): void {
    line.wait += 1;
    const { wait } = line;
    void until.then(() => {
      if (!this.#closed && wait === line.wait) this.#advance(line);
    });
  }

  #advance(line: Line): void {
    const { waiting } = line;
    let intake: SourceIntake | undefined;
    let plan: RoutePlan | undefined;
    for (let head = waiting.shift(); head !== undefined; head = waiting.shift()) {
      if (intake === undefined) plan = this.#owner.routeOf(head); // one route and one source in a line
      const wait = this.#reconsider(head, plan);
      if (wait !== undefined) {
        waiting.unshift(head);
        this.#wait(line, wait);
        break;
      }
      this.#waiting -= 1;
      intake = head.intake;
    }
    if (waiting.size === 0) line.leave();
    if (intake !== undefined) this.#owner.resumed(intake);
  }
}

function removed({ plan }: Candidate): Refusal {
  const message = `route "${plan.name}" was removed while its schema was waited for`;
  return { code: 'E_ROUTE_REMOVED', message };
}

/** Names have no spaces. Numbers will not do: a reload changes them. */
function nameOf({ plan, intake, key }: Candidate): string | undefined {
  return key === undefined ? undefined : `${plan.name} ${intake.name} ${key}`;
}
