import { SourceCounters } from '../core/counters.ts';
import type { Source } from '../core/source.ts';
import type { TracedPlace } from '../core/tracer.ts';
import type { LegLane } from './leg.ts';
import type { SettleListener } from './tracker.ts';

/** Bounds of what one source may have unsettled in the gateway. */
export interface Window {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** One source as the pipeline sees it: its counters, its window, and who holds it back. */
export class SourceIntake implements SettleListener {
  readonly name: string;
  readonly source: Source;
  readonly keyed: boolean;
  readonly counters: SourceCounters;
  readonly place: TracedPlace;
  #number: number;
  #lanes: readonly LegLane[];
  #open = false;
  #refusing = false;
  #detached = false;
  readonly #window: Window;
  readonly #holders = new Set<object>();
  #windowFull = false;

  constructor(options: {
    name: string;
    number: number;
    source: Source;
    keyed: boolean;
    lanes: readonly LegLane[];
    window: Window;
    /** Those of the source of this name before a reload, to count on. */
    counters?: SourceCounters;
    place?: TracedPlace;
  }) {
    this.name = options.name;
    this.#number = options.number;
    this.source = options.source;
    this.keyed = options.keyed;
    this.#lanes = options.lanes;
    this.#window = options.window;
    this.counters = options.counters ?? new SourceCounters();
    this.place = options.place ?? { name: options.name };
  }

  /** Its number in the plan that is in force. */
  get number(): number {
    return this.#number;
  }

  /** The lanes that routes from this source lead to. */
  get lanes(): readonly LegLane[] {
    return this.#lanes;
  }

  /** True when it takes nothing more: what its source still hands over stays unsettled and comes again. */
  get refusing(): boolean {
    return this.#refusing;
  }

  /** True when what is unsettled has gone back to the broker. */
  get detached(): boolean {
    return this.#detached;
  }

  /** Its place in a new plan: lets go of lanes that it feeds no more, and is held by those that are full already. */
  rewire(number: number, lanes: readonly LegLane[]): void {
    const before = this.#lanes;
    this.#number = number;
    this.#lanes = lanes;
    for (const lane of lanes) if (lane.full) this.hold(lane);
    for (const lane of before) if (!lanes.includes(lane)) this.release(lane);
  }

  refuse(): void {
    this.#refusing = true;
  }

  /** Before the source is closed: nothing more is taken, and the broker will give the unsettled to somebody again. */
  detach(): void {
    this.#refusing = true;
    this.#detached = true;
    this.counters.returned += this.counters.inFlight;
    this.counters.inFlight = 0;
    this.counters.inFlightBytes = 0;
  }

  get held(): boolean {
    return this.#holders.size > 0;
  }

  /** Pauses the source until every holder has let go. */
  hold(holder: object): void {
    const first = this.#holders.size === 0;
    this.#holders.add(holder);
    if (first && this.#open) this.source.pause();
  }

  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0 && this.#open) this.source.resume();
  }

  /** The source has been told to open: from now on it can be held. */
  opened(): void {
    this.#open = true;
    if (this.held) this.source.pause();
  }

  /** Called after a batch was taken in. */
  taken(): void {
    const { inFlight, inFlightBytes } = this.counters;
    if (this.#windowFull || (inFlight < this.#window.maxEvents && inFlightBytes < this.#window.maxBytes)) return;
    this.#windowFull = true;
    this.hold(this);
  }

  settled(): void {
    if (!this.#windowFull) return;
    const { inFlight, inFlightBytes } = this.counters;
    if (inFlight > this.#window.maxEvents / 2 || inFlightBytes > this.#window.maxBytes / 2) return;
    this.#windowFull = false;
    this.release(this);
  }
}
