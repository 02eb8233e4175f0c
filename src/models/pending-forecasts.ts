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

  put(slot: number, forecast: SendForecast): void {
    const at = slot * FIELDS;
    if (at >= this.#values.length) this.#grow(slot + 1);
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
    const at = slot * FIELDS;
    const values = this.#values;
    // Latencies are never 0. Beyond the end there is nothing either.
    if (!((values[at] ?? 0) > 0)) return false;
    into.model = values[at] as number;
    into.average = values[at + 1] as number;
    into.season = values[at + 2] as number;
    into.q95 = values[at + 3] as number;
    into.modelFailure = values[at + 4] as number;
    into.averageFailure = values[at + 5] as number;
    values[at] = 0;
    return true;
  }

  clear(): void {
    this.#values.fill(0);
  }

  #grow(slots: number): void {
    let length = Math.max(FIRST * FIELDS, this.#values.length);
    while (length < slots * FIELDS) length *= 2;
    const values = new Float32Array(length);
    values.set(this.#values);
    this.#values = values;
  }
}
