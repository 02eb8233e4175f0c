import type { Clock } from '../core/clock.ts';
import type { DecisionHandle, DecisionObserver, DecisionOutcome, DecisionSubject } from '../core/decision-observer.ts';
import { SCORE_COLUMNS } from '../core/scorer.ts';
import type { Decision, FeatureSnapshot, Selector } from '../core/selector.ts';
import { Decayed } from '../models/decayed.ts';
import { type DriftAlarm, type DriftRules, DriftWatch } from '../models/drift.ts';
import type { CostBook } from './cost-book.ts';

/** Decisions under way that are told apart; beyond, they are not observed. */
const MOST_OPEN = 2 ** 20;
const FIRST_OPEN = 256;
/** Time constant of the average that a model is held against. */
const USUAL_TAU_MS = 5_000;
/** Scores are looked up anew after this: half a tick. */
const LOOK_MS = 10;
const NONE = -1;

export interface TallyOptions {
  readonly selector: Pick<Selector, 'targets' | 'snapshot' | 'sizeClass'>;
  /** What a failure counts. */
  readonly timeoutMs: number;
  /** What a unit of a target's cost counts. */
  readonly costMs: number;
  readonly book: CostBook;
  readonly clock: Clock;
  readonly drift?: DriftRules | undefined;
  readonly onDrift: (alarm: DriftAlarm) => void;
  /** Is told of the same decisions. */
  readonly next: DecisionObserver | undefined;
}

/**
 * Tallies what the decisions of one choice cost, and how far the model's forecasts were off. O(1) per event; nothing is
 * allocated but when more decisions are under way than ever before.
 */
export class ChoiceTally implements DecisionObserver {
  /** Decisions that were not observed for want of room. */
  missed = 0;
  readonly #o: TallyOptions;
  readonly #costs: Float64Array;
  readonly #usual: readonly Decayed[];
  readonly #drift: DriftWatch;
  #snapshot: FeatureSnapshot | undefined;
  #lookAt: number = Number.NEGATIVE_INFINITY;
  #model: string | undefined;
  #free = NONE;
  /** By slot; `#target` of a free slot is the next free one. */
  #target = new Int32Array(0);
  #at = new Float64Array(0);
  #slice = new Float64Array(0);
  #predicted = new Float64Array(0);
  #average = new Float64Array(0);
  #next = new Float64Array(0);

  constructor(options: TallyOptions) {
    this.#o = options;
    const { targets } = options.selector;
    this.#costs = Float64Array.from(targets, ({ cost }) => (cost ?? 0) * options.costMs);
    this.#usual = targets.map(() => new Decayed(USUAL_TAU_MS));
    this.#drift = new DriftWatch(targets.length, options.drift);
    this.#grow(FIRST_OPEN);
  }

  decided(subject: DecisionSubject, eligible: readonly number[], decision: Decision, inFlight: number): DecisionHandle {
    if (this.#free === NONE && !this.#grow(this.#target.length * 2)) {
      this.missed += 1;
      return NONE;
    }
    const { clock, book, selector, next } = this.#o;
    const { target } = decision;
    const now = clock.now();
    if (now >= this.#lookAt) this.#look(now);
    const slot = this.#free;
    this.#free = this.#target[slot] as number;
    const classes = this.#snapshot?.classes ?? 1;
    const row = (target * classes + selector.sizeClass(subject.bytes)) * SCORE_COLUMNS;
    this.#target[slot] = target;
    this.#at[slot] = now;
    this.#slice[slot] = book.sliceAt(now);
    this.#predicted[slot] = this.#snapshot?.scores?.[row] ?? Number.NaN;
    this.#average[slot] = (this.#usual[target] as Decayed).mean;
    this.#next[slot] = next?.decided(subject, eligible, decision, inFlight) ?? NONE;
    return slot;
  }

  settled(slot: DecisionHandle, outcome: DecisionOutcome, latencyMs?: number): void {
    if (!(slot >= 0 && slot < this.#target.length)) return;
    const target = this.#target[slot] as number;
    const handle = this.#next[slot] as number;
    this.#target[slot] = this.#free;
    this.#free = slot;
    const { clock, book, next, timeoutMs } = this.#o;
    if (handle >= 0) next?.settled(handle, outcome, latencyMs);
    // What never left says nothing.
    if (outcome === 'recalled' || outcome === 'breaker') return;
    const now = clock.now();
    const ms = latencyMs ?? now - (this.#at[slot] as number);
    const isOk = outcome === 'ok';
    book.add(this.#slice[slot] as number, (isOk ? ms : timeoutMs) + (this.#costs[target] as number), !isOk);
    if (!isOk) return;
    const logMs = Math.log(Math.max(1e-3, ms));
    const residual = Math.abs(logMs - (this.#predicted[slot] as number));
    const usual = Math.abs(logMs - (this.#average[slot] as number));
    (this.#usual[target] as Decayed).add(now, logMs);
    const alarm = this.#drift.saw(target, now, residual, usual);
    if (alarm !== undefined) this.#o.onDrift(alarm);
  }

  #look(now: number): void {
    this.#lookAt = now + LOOK_MS;
    this.#snapshot = this.#o.selector.snapshot();
    const model = this.#snapshot?.model;
    if (model === this.#model) return;
    this.#model = model;
    this.#drift.reset();
  }

  #grow(capacity: number): boolean {
    const before = this.#target.length;
    if (capacity > MOST_OPEN) return false;
    const larger = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const room = new Float64Array(capacity);
      room.set(old);
      return room;
    };
    const targets = new Int32Array(capacity);
    targets.set(this.#target);
    this.#target = targets;
    this.#at = larger(this.#at);
    this.#slice = larger(this.#slice);
    this.#predicted = larger(this.#predicted);
    this.#average = larger(this.#average);
    this.#next = larger(this.#next);
    for (let slot = capacity - 1; slot >= before; slot -= 1) {
      this.#target[slot] = this.#free;
      this.#free = slot;
    }
    return true;
  }
}
