import type { Random } from '../../core/clock.ts';

/** A number in [0, 1) that depends on the three integers only: the same for every policy, whatever was drawn before. */
export function hashed(seed: number, a: number, b: number): number {
  let h = Math.imul(seed ^ 0x2c1b3c6d, 0x297a2d39);
  h = Math.imul(h ^ (h >>> 15) ^ a, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ b, 0xc2b2ae35);
  h ^= h >>> 16;
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  return (h >>> 0) / 4294967296;
}

/** A stream of numbers in [0, 1): `hashed` over a counter. */
export function stream(seed: number, salt: number): Random {
  let n = 0;
  return () => {
    n += 1;
    return hashed(seed, n, salt);
  };
}

/** A standard normal number (Box–Muller) from two uniform ones. */
export function normal(u: number, v: number): number {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}

/** A lognormal number of mean 1. */
export function lognormal(sigma: number, z: number): number {
  return Math.exp(sigma * z - (sigma * sigma) / 2);
}

/** What scenario parameters are drawn with. */
export class Draw {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  /** Uniform in the logarithm. */
  scale(low: number, high: number): number {
    return low * (high / low) ** this.random();
  }

  whole(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  chance(p: number): boolean {
    return this.random() < p;
  }

  of<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)] as T;
  }

  /** `count` different integers below `n`. */
  some(n: number, count: number): number[] {
    const all = Array.from({ length: n }, (_, index) => index);
    for (let index = 0; index < count; index += 1) {
      const other = this.whole(index, n - 1);
      [all[index], all[other]] = [all[other] as number, all[index] as number];
    }
    return all.slice(0, count);
  }

  normal(): number {
    return normal(this.random(), this.random());
  }
}
