import type { SelectorConfig } from '../core/selector.ts';

const MOST_ROWS = 64;

/** The classes that are told apart: fewer where there are many targets, so that a model has 64 rows at most to score. */
export function sizeClassesOf({ targets, sizeClasses = [4_096, 65_536] }: SelectorConfig): SizeClasses {
  return new SizeClasses(sizeClasses, Math.max(1, Math.floor(MOST_ROWS / Math.max(1, targets.length))));
}

/** Events by size: scores are computed for a few classes, not for each event. */
export class SizeClasses {
  readonly #bounds: readonly number[];
  readonly #means: Float64Array;

  /** @param bounds Upper bounds in bytes, ascending; there is one class more. */
  constructor(bounds: readonly number[], most: number) {
    this.#bounds = bounds.slice(0, Math.max(0, most - 1));
    this.#means = new Float64Array(this.#bounds.length + 1);
    for (let i = 0; i < this.#means.length; i += 1) {
      const low = this.#bounds[i - 1] ?? 64;
      this.#means[i] = Math.sqrt(low * (this.#bounds[i] ?? 4 * low));
    }
  }

  get count(): number {
    return this.#means.length;
  }

  of(bytes: number): number {
    let at = 0;
    while (at < this.#bounds.length && bytes > (this.#bounds[at] as number)) at += 1;
    return at;
  }

  /** A class and the size that stands for it: what was seen of it on average, of late. */
  size(sizeClass: number): { readonly sizeClass: number; readonly bytes: number } {
    return { sizeClass, bytes: this.#means[sizeClass] as number };
  }

  /** Gives the class. */
  saw(bytes: number): number {
    const at = this.of(bytes);
    const mean = this.#means[at] as number;
    this.#means[at] = mean + 0.01 * (bytes - mean);
    return at;
  }
}
