/** Hashes that may be there, at 16 bits each: small enough to stay in a cache, where the tables behind it do not. */
export class Sieve {
  readonly #bits: Int32Array;
  readonly #mask: number;

  constructor(size: number) {
    this.#bits = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(size, 2) / 2)));
    this.#mask = this.#bits.length - 1;
  }

  add(hash: number): void {
    const at = (hash >>> 5) & this.#mask;
    this.#bits[at] = (this.#bits[at] as number) | (1 << (hash & 31));
  }

  /** False: certainly not there. About one in 16 of those that are not there is let through. */
  has(hash: number): boolean {
    return (((this.#bits[(hash >>> 5) & this.#mask] as number) >>> (hash & 31)) & 1) === 1;
  }
}
