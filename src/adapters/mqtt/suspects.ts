import type { MeshEvent } from '../../core/event.ts';

/** Connections in a row that broke with events in flight and none confirmed, before an event is suspected. */
const BARREN = 3;

/**
 * Finds an event that the broker answers by closing the connection (AWS IoT does so for a topic that is not allowed or a payload over
 * its limit; MQTT 3.1.1 has no other way to say no). Seen from here that is an outage, which costs no attempt, so the event would
 * come again for ever and take down everything else in flight. After {@link BARREN} barren connections the next one sends one event
 * at a time, doubling with every PUBACK; the one alone in flight when it breaks is the suspect, and pays with an attempt each time.
 */
export class Suspects {
  readonly #events = new WeakSet<MeshEvent>();
  #barren = 0;
  #confirmed = 0;
  #limit = Number.POSITIVE_INFINITY;

  /** Events that may be in flight now. */
  get limit(): number {
    return this.#limit;
  }

  connected(): void {
    this.#confirmed = 0;
    this.#limit = this.#barren >= BARREN ? 1 : Number.POSITIVE_INFINITY;
  }

  confirmed(): void {
    this.#confirmed += 1;
    this.#limit *= 2;
  }

  /** The connection broke with these events in flight. */
  broke(inFlight: readonly MeshEvent[]): void {
    if (this.#confirmed > 0) this.#barren = 0;
    else if (inFlight.length > 0) this.#barren += 1;
    const [alone] = inFlight;
    if (this.#barren > BARREN && inFlight.length === 1 && alone !== undefined) this.#events.add(alone);
  }

  has(event: MeshEvent): boolean {
    return this.#events.has(event);
  }
}
