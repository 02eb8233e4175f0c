import { SourceCounters } from '../core/counters.ts';
import type { Source } from '../core/source.ts';
import type { Lane } from './lane.ts';
import type { SettleListener } from './tracker.ts';

/** Bounds of what one source may have unsettled in the gateway. */
export interface Window {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** One source as the pipeline sees it: its counters, its window, and who holds it back. */
export class SourceIntake implements SettleListener {
  readonly name: string;
  readonly number: number;
  readonly source: Source;
  readonly keyed: boolean;
  /** The lanes that routes from this source lead to. */
  readonly lanes: readonly Lane[];
  readonly counters: SourceCounters = new SourceCounters();
  readonly #window: Window;
  readonly #holders = new Set<object>();
  #windowFull = false;

  constructor(options: {
    name: string;
    number: number;
    source: Source;
    keyed: boolean;
    lanes: readonly Lane[];
    window: Window;
  }) {
    this.name = options.name;
    this.number = options.number;
    this.source = options.source;
    this.keyed = options.keyed;
    this.lanes = options.lanes;
    this.#window = options.window;
  }

  get held(): boolean {
    return this.#holders.size > 0;
  }

  /** Pauses the source until every holder has let go. */
  hold(holder: object): void {
    const first = this.#holders.size === 0;
    this.#holders.add(holder);
    if (first) this.source.pause();
  }

  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.source.resume();
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
