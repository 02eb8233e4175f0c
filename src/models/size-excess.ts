import { Decayed } from './decayed.ts';

const TAU_MS = 30_000;
/** Answers that a class must have had to be believed by half. */
const DOUBT = 3;

/** By size class, how much longer answers take than those of all sizes do at that time. */
export class SizeExcess {
  readonly #classes: Decayed[] = [];

  /** @param meanMs Of the last answers of all sizes; NaN: not known. */
  record(now: number, sizeClass: number, latencyMs: number, meanMs: number): void {
    if (Number.isNaN(meanMs)) return;
    while (this.#classes.length <= sizeClass) this.#classes.push(new Decayed(TAU_MS));
    this.#classes[sizeClass]?.add(now, latencyMs - meanMs);
  }

  /** In ms; 0 while nothing is known. */
  of(sizeClass: number): number {
    return this.#classes[sizeClass]?.towards(0, DOUBT) ?? 0;
  }
}
