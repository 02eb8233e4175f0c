/** Eight buckets per octave from 1/16 ms to 2 min: values are known to ±4.5 %. The idea is HdrHistogram's. */
const PER_OCTAVE = 8;
const LOWEST_LOG2 = -4;
const OCTAVES = 21;
const BUCKETS = PER_OCTAVE * OCTAVES;

function bucketOf(ms: number): number {
  const bucket = Math.floor((Math.log2(ms) - LOWEST_LOG2) * PER_OCTAVE);
  return bucket < 0 ? 0 : Math.min(bucket, BUCKETS - 1);
}

/** The middle of a bucket, geometrically. */
function middleOf(bucket: number): number {
  return 2 ** (LOWEST_LOG2 + (bucket + 0.5) / PER_OCTAVE);
}

/** Latencies of the last `slices × sliceMs`, with quantiles; recording is O(1), memory is fixed. */
export class SlidingHistogram {
  readonly #sliceMs: number;
  readonly #slices: Uint32Array[];
  readonly #totals = new Uint32Array(BUCKETS);
  #count = 0;
  #slice = 0;
  #endsAt = Number.NEGATIVE_INFINITY;

  constructor(sliceMs: number, slices: number) {
    this.#sliceMs = sliceMs;
    this.#slices = Array.from({ length: slices }, () => new Uint32Array(BUCKETS));
  }

  get count(): number {
    return this.#count;
  }

  record(now: number, ms: number): void {
    this.roll(now);
    const bucket = ms > 0 ? bucketOf(ms) : 0;
    const slice = this.#slices[this.#slice] as Uint32Array;
    slice[bucket] = (slice[bucket] as number) + 1;
    this.#totals[bucket] = (this.#totals[bucket] as number) + 1;
    this.#count += 1;
  }

  /** Forgets what is too old. */
  roll(now: number): void {
    if (now < this.#endsAt) return;
    const steps = Math.min(this.#slices.length, Math.floor((now - this.#endsAt) / this.#sliceMs) + 1);
    this.#endsAt = steps < this.#slices.length ? this.#endsAt + steps * this.#sliceMs : now + this.#sliceMs;
    for (let i = 0; i < steps && this.#count > 0; i += 1) {
      this.#slice = (this.#slice + 1) % this.#slices.length;
      this.#drop(this.#slices[this.#slice] as Uint32Array);
    }
  }

  #drop(slice: Uint32Array): void {
    for (let b = 0; b < BUCKETS; b += 1) {
      const n = slice[b] as number;
      if (n === 0) continue;
      this.#totals[b] = (this.#totals[b] as number) - n;
      this.#count -= n;
      slice[b] = 0;
    }
  }

  /** NaN without values. */
  quantile(q: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = q * this.#count;
    let seen = 0;
    for (let b = 0; b < BUCKETS; b += 1) {
      seen += this.#totals[b] as number;
      if (seen >= rank && seen > 0) return middleOf(b);
    }
    return middleOf(BUCKETS - 1);
  }
}
