import type { Brokers } from '../brokers/index.mjs';
import { eventually } from '../setup/eventually.ts';
import { routeConfig } from '../setup/gateway.ts';
import { createPlace } from '../setup/places/index.ts';
import type { Kind } from '../setup/places/place.ts';
import { GatewayProcess } from './child.ts';
import { faultEvent, Ledger, type LedgerReport } from './ledger.ts';

export interface OutageReport extends LedgerReport {
  readonly outageMs: number;
  /** From the broker being back to the last event delivered. */
  readonly recoveryMs: number;
}

/** Stops the target's broker for `outageMs` while events come in, starts it again, and counts what came out. */
export async function outage(
  brokers: Pick<Brokers, 'stopOne' | 'startOne'>,
  pair: readonly [Kind, Kind],
  broker: Parameters<Brokers['stopOne']>[0],
  options: { events: number; outageMs: number },
): Promise<OutageReport> {
  const from = await createPlace(pair[0]);
  const to = await createPlace(pair[1]);
  const gateway = new GatewayProcess(routeConfig(from, to, { store: { path: '$STORE' }, log: { level: 'info' } }));
  const ledger = new Ledger();
  const produce = async (first: number, count: number): Promise<void> => {
    const burst = Array.from({ length: count }, (_, n) => faultEvent(first + n));
    ledger.produced(burst);
    await from.produce(burst, 'structured');
    ledger.acknowledged(burst);
  };
  const third = Math.floor(options.events / 3);
  try {
    gateway.start();
    await gateway.until(() => gateway.log().includes('"source is up"'));
    await gateway.until(() => gateway.log().includes('"target is up"'));
    await produce(0, third);
    await brokers.stopOne(broker);
    await produce(third, third);
    await new Promise((resolve) => setTimeout(resolve, options.outageMs));
    await brokers.startOne(broker);
    const back = performance.now();
    await produce(2 * third, third);
    await to.read((event) => ledger.delivered(event));
    await eventually(() => ledger.missing === 0, { timeoutMs: 90_000 }).catch(() => undefined); // what is missing is in the report
    const recoveryMs = Math.round(performance.now() - back);
    await gateway.end('SIGTERM');
    return { ...ledger.report(), outageMs: options.outageMs, recoveryMs };
  } finally {
    gateway.cleanup();
    await from.close();
  }
}
