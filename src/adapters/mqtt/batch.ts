import type { Delivery, DeliveryBatch, Outcome } from '../../core/delivery.ts';
import type { Ledger } from './ledger.ts';

/** Deliveries of one connection that came together; remembers for each its slot in that connection's ledger. */
export class MqttBatch implements DeliveryBatch {
  readonly deliveries: Delivery[] = [];
  readonly ledger: Ledger;
  readonly #slots: number[] = [];
  readonly #bytes: number[] = [];
  readonly #settled: (outcome: Outcome, bytes: number) => void;

  constructor(ledger: Ledger, settled: (outcome: Outcome, bytes: number) => void) {
    this.ledger = ledger;
    this.#settled = settled;
  }

  add(delivery: Delivery, slot: number, bytes: number): void {
    this.deliveries.push(delivery);
    this.#slots.push(slot);
    this.#bytes.push(bytes);
  }

  /** MQTT has no nack: `reject` is final and acknowledged, `retry` withholds PUBACK until the broker sends again. */
  settle(index: number, outcome: Outcome): void {
    this.ledger.settle(this.#slots[index] as number, outcome.verdict !== 'retry');
    this.#settled(outcome, this.#bytes[index] as number);
  }
}
