import { stringify } from 'yaml';
import type { Brokers } from '../brokers/index.mjs';
import { createPlace } from '../setup/places/index.ts';
import { GatewayProcess } from './child.ts';
import { faultEvent } from './ledger.ts';

export interface StallReport {
  readonly stallMs: number;
  readonly rssBeforeMiB: number;
  readonly rssPeakMiB: number;
  readonly rssGrowthMiB: number;
  /** Events per second of the route fed by the other source, before and while the first route's target is stalled. */
  readonly otherRateBefore: number;
  readonly otherRateStalled: number;
  readonly otherRatio: number;
  readonly stalledDelivered: number;
}

const AHEAD = 4_000;

/**
 * Freezes RabbitMQ (SIGSTOP: the connection stays, nothing is answered) while Kafka → RabbitMQ runs under full load from a
 * standing backlog, and MQTT → Kafka runs beside it as fast as it goes. Memory is the gateway's VmRSS, twice a second.
 */
export async function stall(
  brokers: Pick<Brokers, 'kill'>,
  options: { stallMs: number; backlog: number },
): Promise<StallReport> {
  const stalledFrom = await createPlace('kafka');
  const stalledTo = await createPlace('rabbitmq');
  const otherFrom = await createPlace('mqtt');
  const otherTo = await createPlace('kafka');
  const gateway = new GatewayProcess(
    stringify({
      version: 1,
      brokers: { kafka: stalledFrom.broker, rabbit: stalledTo.broker, mqtt: otherFrom.broker },
      sources: { stalled: { broker: 'kafka', ...stalledFrom.source }, other: { broker: 'mqtt', ...otherFrom.source } },
      targets: { frozen: { broker: 'rabbit', ...stalledTo.target }, lively: { broker: 'kafka', ...otherTo.target } },
      routes: [
        {
          name: 'stalled',
          from: ['stalled'],
          to: ['frozen'],
          delivery: { timeout: '10s', deadLetter: { store: true } },
        },
        { name: 'other', from: ['other'], to: ['lively'], delivery: { deadLetter: { store: true } } },
      ],
      store: { path: '$STORE' },
      log: { level: 'info' },
    }),
  );
  let frozen = false;
  let loading = true;
  let load: Promise<void> | undefined;
  try {
    for (let at = 0; at < options.backlog; at += 5_000) {
      const burst = Array.from({ length: Math.min(5_000, options.backlog - at) }, (_, n) => faultEvent(at + n));
      await stalledFrom.produce(burst, 'structured');
    }
    let stalledDelivered = 0;
    let otherDelivered = 0;
    let otherProduced = 0;
    await stalledTo.read(() => {
      stalledDelivered += 1;
    });
    await otherTo.read(() => {
      otherDelivered += 1;
    });
    gateway.start();
    const up = (): boolean => gateway.log().split('"source is up"').length > 2;
    await gateway.until(up);
    // Closed loop with a bound, so that it runs at the gateway's pace without piling up in the broker.
    load = (async () => {
      while (loading) {
        if (otherProduced - otherDelivered > AHEAD) {
          await new Promise((resolve) => setTimeout(resolve, 2));
          continue;
        }
        await otherFrom.produce(
          Array.from({ length: 200 }, (_, n) => faultEvent(otherProduced + n)),
          'structured',
        );
        otherProduced += 200;
      }
    })();
    await gateway.until(() => stalledDelivered > 5_000 && otherDelivered > 5_000);
    const before = await rate(() => otherDelivered, Math.min(10_000, options.stallMs));
    const rssBeforeMiB = gateway.rssMiB();
    await brokers.kill('rabbitmq', 'SIGSTOP');
    frozen = true;
    let rssPeakMiB = 0;
    const sampling = setInterval(() => {
      rssPeakMiB = Math.max(rssPeakMiB, gateway.rssMiB());
    }, 500);
    const stalled = await rate(() => otherDelivered, options.stallMs);
    clearInterval(sampling);
    loading = false;
    await brokers.kill('rabbitmq', 'SIGCONT');
    frozen = false;
    const then = stalledDelivered;
    await gateway.until(() => stalledDelivered > then);
    await load;
    await gateway.end('SIGTERM');
    return {
      stallMs: options.stallMs,
      rssBeforeMiB: Math.round(rssBeforeMiB),
      rssPeakMiB: Math.round(rssPeakMiB),
      rssGrowthMiB: Math.round(rssPeakMiB - rssBeforeMiB),
      otherRateBefore: Math.round(before),
      otherRateStalled: Math.round(stalled),
      otherRatio: Number((stalled / before).toFixed(2)),
      stalledDelivered,
    };
  } finally {
    loading = false;
    if (frozen) await brokers.kill('rabbitmq', 'SIGCONT');
    // A load still under way would fail on a closed connection and hide what went wrong.
    await Promise.allSettled([load]);
    gateway.cleanup();
    for (const place of [stalledFrom, otherFrom, otherTo]) await place.close();
  }
}

async function rate(count: () => number, ms: number): Promise<number> {
  const from = count();
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ((count() - from) * 1_000) / (performance.now() - began);
}
