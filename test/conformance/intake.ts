import { ACK, type Delivery, type DeliveryBatch, type EventDelivery, type Outcome } from '../../src/core/delivery.ts';
import type { Intake } from '../../src/core/source.ts';

export interface Received {
  readonly delivery: Delivery;
  settle(outcome: Outcome): void;
}

/** An intake that keeps every delivery unsettled until the test says otherwise. */
export class HoldingIntake implements Intake {
  readonly received: Received[] = [];
  batches = 0;
  /** Set to settle everything on arrival. */
  onArrival: Outcome | undefined;

  batch(batch: DeliveryBatch): void {
    this.batches += 1;
    batch.deliveries.forEach((delivery, index) => {
      this.received.push({ delivery, settle: (outcome) => batch.settle(index, outcome) });
      if (this.onArrival !== undefined) batch.settle(index, this.onArrival);
    });
  }

  get events(): EventDelivery[] {
    return this.received.flatMap(({ delivery }) => (delivery.event === undefined ? [] : [delivery]));
  }

  ids(): string[] {
    return this.events.map(({ event }) => event.id);
  }

  ackAll(): void {
    for (const received of this.received) received.settle(ACK);
  }
}
