/** What was forecast for one send. Latencies in ms. */
export interface SendForecast {
  model: number;
  average: number;
  season: number;
  /** As the expected cost uses it. */
  q95: number;
  /** Odds of a failure. */
  modelFailure: number;
  averageFailure: number;
}

const FIELDS = 6;
const FIRST = 256;

/**
 * Forecasts of sends in flight, by the slot of the send: as many numbers as there are slots, which the caller bounds. A slot
 * holds nothing until `put` and after `take`.
 */
export class PendingForecasts {
  #values = new Float32Array(0);
  /** 1 where a slot holds something: most do not, and this is asked for every send. */
  #held = new Uint8Array(0);

  put(slot: number, forecast: SendForecast): void {
    const at = slot * FIELDS;
    if (slot >= this.#held.length) this.#grow(slot + 1);
    // What is no number is no forecast.
    this.#held[slot] = forecast.model > 0 ? 1 : 0;
    const values = this.#values;
    values[at] = forecast.model;
    values[at + 1] = forecast.average;
    values[at + 2] = forecast.season;
    values[at + 3] = forecast.q95;
    values[at + 4] = forecast.modelFailure;
    values[at + 5] = forecast.averageFailure;
  }

  /** Empties the slot; false: it held nothing. */
  take(slot: number, into: SendForecast): boolean {
    if (slot >= this.#held.length || this.#held[slot] === 0) return false;
    this.#held[slot] = 0;
    const at = slot * FIELDS;
    const values = this.#values;
    into.model = values[at] as number;
    into.average = values[at + 1] as number;
    into.season = values[at + 2] as number;
    into.q95 = values[at + 3] as number;
    into.modelFailure = values[at + 4] as number;
    into.averageFailure = values[at + 5] as number;
    return true;
  }

  clear(): void {
    this.#held.fill(0);
  }

  #grow(slots: number): void {
    let length = Math.max(FIRST, this.#held.length);
    while (length < slots) length *= 2;
    const values = new Float32Array(length * FIELDS);
    values.set(this.#values);
    this.#values = values;
    const held = new Uint8Array(length);
    held.set(this.#held);
    this.#held = held;
  }
}
