import type { Clock, Random } from '../core/clock.ts';
import type { DecisionHandle, DecisionObserver, DecisionOutcome, DecisionSubject } from '../core/decision-observer.ts';
import { SCORE_COLUMNS } from '../core/scorer.ts';
import { type Decision, SELECTORS, type Selector } from '../core/selector.ts';
import { DecisionTable, EXPLORED, FLOAT, INT, SAMPLED, TAKEN } from './decision-table.ts';
import { eventHash } from './event-hash.ts';
import { DECIDED_BY, OUTCOMES } from './records.ts';
import { type KeptSnapshot, SnapshotPool } from './snapshot-pool.ts';

/** A choice whose decisions are recorded. */
export interface RecordedChoice {
  readonly name: string;
  /** The one that decides. */
  readonly selector: Pick<Selector, 'targets' | 'snapshot' | 'sizeClass'>;
  /** By then every decision should be settled; one that is not is recorded as timed out. */
  readonly timeoutMs: number;
}

/** Plain counters, bumped in place. `recorded = written + sampledOut + dropped + open`. */
export class TelemetryCounters {
  /** Decisions that were observed. */
  recorded = 0;
  written = 0;
  /** Successes that were left out by `sample`. */
  sampledOut = 0;
  /** Decisions that were lost: no room in memory, or the disk failed. The metric `telemetry_dropped`. */
  dropped = 0;
  /** Decisions in memory: not settled, behind one that is not, or not written yet. */
  open = 0;
  snapshots = 0;
}

export interface RecorderOptions {
  readonly choice: RecordedChoice;
  readonly clock: Clock;
  readonly random: Random;
  /** Share of the successes that is kept. */
  readonly sample: number;
  /** Decisions in memory. */
  readonly maxOpen: number;
  readonly counters: TelemetryCounters;
  /** Ids that are unique in the run. */
  readonly nextSnapshot: () => number;
  readonly nextDecision: () => number;
}

/** Snapshots in memory: at 50 ticks per second, those of 40 s. */
const MAX_SNAPSHOTS = 2_048;
/** How long after its timeout a decision is waited for. */
const GRACE_MS = 1_000;
const OK = OUTCOMES.indexOf('ok');
const TIMEOUT = OUTCOMES.indexOf('timeout');

/**
 * Holds the decisions of one choice from when they are taken until they are written, in their order: one that is not settled holds
 * back those after it, at most until its timeout. So files never tell of fast answers while slow ones are missing.
 */
export class ChoiceRecorder implements DecisionObserver {
  readonly choice: RecordedChoice;
  readonly table: DecisionTable;
  readonly sample: number;
  readonly #o: RecorderOptions;
  readonly #snapshots: SnapshotPool;
  readonly #routes = new Map<string, number>();
  readonly #routeNames: string[] = [];
  #closed = false;

  constructor(options: RecorderOptions) {
    this.#o = options;
    this.choice = options.choice;
    this.sample = options.sample;
    this.table = new DecisionTable(options.choice.selector.targets.length, options.maxOpen);
    this.#snapshots = new SnapshotPool(MAX_SNAPSHOTS, options.nextSnapshot);
  }

  decided(subject: DecisionSubject, eligible: readonly number[], decision: Decision, inFlight: number): DecisionHandle {
    const { clock, counters, random, nextDecision } = this.#o;
    const { selector } = this.choice;
    const sequence = nextDecision();
    counters.recorded += 1;
    const slot = this.#closed ? -1 : this.table.add();
    if (slot < 0) {
      counters.dropped += 1;
      return -1;
    }
    const { table } = this;
    const snapshot = selector.snapshot();
    const place = snapshot === undefined ? -1 : this.#snapshots.use(snapshot);
    if (snapshot !== undefined && place < 0) {
      table.remove(slot);
      counters.dropped += 1;
      return -1;
    }
    counters.open += 1;
    const size = selector.sizeClass(subject.bytes);
    table.setInt(slot, INT.snapshot, place);
    table.setInt(slot, INT.route, this.#route(subject.route));
    table.setInt(slot, INT.size, size);
    table.setInt(slot, INT.bytes, Math.min(subject.bytes, 0x7fffffff));
    table.setInt(slot, INT.chosen, decision.target);
    table.setInt(slot, INT.by, DECIDED_BY.indexOf(decision.by));
    table.setInt(slot, INT.policy, SELECTORS.indexOf(decision.policy));
    table.setInt(slot, INT.inFlight, inFlight);
    table.setInt(slot, INT.attempt, subject.attempt);
    table.setInt(slot, INT.outcome, 0);
    // Drawn here, so that what is kept cannot depend on how it ended.
    const sampled = this.sample >= 1 || random() < this.sample;
    table.setInt(slot, INT.flags, (decision.explored ? EXPLORED : 0) | (sampled ? SAMPLED : 0));
    table.setEligible(slot, eligible);
    table.setFloat(slot, FLOAT.at, clock.now());
    table.setFloat(slot, FLOAT.event, eventHash(subject.event.source, subject.event.id));
    table.setFloat(slot, FLOAT.propensity, decision.propensity);
    table.setFloat(slot, FLOAT.ackMs, Number.NaN);
    table.setFloat(slot, FLOAT.sequence, sequence);
    const scores = snapshot?.scores;
    const row = (decision.target * (snapshot?.classes ?? 1) + size) * SCORE_COLUMNS;
    table.setFloat(slot, FLOAT.mean, scores?.[row] ?? Number.NaN);
    table.setFloat(slot, FLOAT.q95, scores?.[row + 1] ?? Number.NaN);
    table.setFloat(slot, FLOAT.failure, scores?.[row + 2] ?? Number.NaN);
    return table.handle(slot);
  }

  settled(handle: DecisionHandle, outcome: DecisionOutcome, latencyMs?: number): void {
    const { table } = this;
    const slot = table.slot(handle);
    if (slot < 0 || table.int(slot, INT.outcome) !== 0) return;
    const flags = table.int(slot, INT.flags);
    if ((flags & TAKEN) !== 0) return;
    if (outcome === 'ok' && (flags & SAMPLED) === 0) {
      this.#o.counters.sampledOut += 1;
      this.#forget(slot);
      return;
    }
    table.setInt(slot, INT.outcome, OUTCOMES.indexOf(outcome));
    table.setFloat(slot, FLOAT.ackMs, latencyMs ?? this.#o.clock.now() - table.float(slot, FLOAT.at));
  }

  /** Takes no more decisions; those in memory go on. */
  close(): void {
    this.#closed = true;
  }

  /** True when nothing will come any more. */
  get done(): boolean {
    return this.#closed && this.table.count === 0;
  }

  /** True if there is a slot to take. */
  due(now: number, ending: boolean): boolean {
    const { first } = this.table;
    if (first < 0) return false;
    return ending || this.table.int(first, INT.outcome) !== 0 || this.#over(first, now);
  }

  /**
   * Takes the oldest slot that is not taken, once it is settled or its time is over; at the end, also without that. -1: none.
   * The caller either lets it go or puts it back.
   *
   * @param after The slot that was taken before, or -1.
   */
  take(after: number, now: number, ending: boolean): number {
    const { table } = this;
    const slot = after < 0 ? table.first : table.next(after);
    if (slot < 0) return -1;
    if (table.int(slot, INT.outcome) === 0 && !ending) {
      if (!this.#over(slot, now)) return -1;
      table.setInt(slot, INT.outcome, TIMEOUT);
      table.setFloat(slot, FLOAT.ackMs, now - table.float(slot, FLOAT.at));
    }
    table.setInt(slot, INT.flags, table.int(slot, INT.flags) | TAKEN);
    return slot;
  }

  /** Lets go of a slot that was taken. */
  release(slot: number): void {
    this.#forget(slot);
  }

  putBack(slot: number): void {
    this.table.setInt(slot, INT.flags, this.table.int(slot, INT.flags) & ~TAKEN);
  }

  /** Decisions that a written one stands for. */
  weight(slot: number): number {
    return this.table.int(slot, INT.outcome) === OK ? 1 / this.sample : 1;
  }

  snapshotOf(slot: number): KeptSnapshot | undefined {
    return this.#snapshots.at(this.table.int(slot, INT.snapshot));
  }

  routeOf(slot: number): string {
    return this.#routeNames[this.table.int(slot, INT.route)] as string;
  }

  #over(slot: number, now: number): boolean {
    return now - this.table.float(slot, FLOAT.at) > this.choice.timeoutMs + GRACE_MS;
  }

  #forget(slot: number): void {
    this.#snapshots.release(this.table.int(slot, INT.snapshot));
    this.table.remove(slot);
    this.#o.counters.open -= 1;
  }

  #route(name: string): number {
    const known = this.#routes.get(name);
    if (known !== undefined) return known;
    this.#routes.set(name, this.#routeNames.length);
    return this.#routeNames.push(name) - 1;
  }
}
