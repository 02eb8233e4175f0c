const BINS = 96;
/** Weight of the newest value in a bin. A bin is fed at every tick it lasts, so this is per tick. */
const GAIN = 0.02;

/** The log latency usual at each phase of a season. */
export class Season {
  readonly #bins = new Float32Array(BINS).fill(Number.NaN);

  record(phase: number, ms: number): void {
    const bin = Math.floor(phase * BINS) % BINS;
    const value = Math.log(Math.max(ms, 0.01));
    const old = this.#bins[bin] as number;
    this.#bins[bin] = Number.isNaN(old) ? value : old + GAIN * (value - old);
  }

  residual(phase: number, ahead: number, ms: number): number {
    const usual = this.#bins[Math.floor((phase + ahead) * BINS) % BINS] as number;
    const residual = usual - Math.log(Math.max(ms, 0.01));
    return Number.isNaN(residual) ? 0 : residual;
  }
}
