import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../test/setup/eventually.ts';
import { quantile } from '../stats.ts';
import type { Side } from './bridge.ts';
import { benchEvent, numberIn } from './event.ts';
import { type Pair, progress, Run } from './run.ts';

const TICK_MS = 2;
/** Seconds of load before the measurement begins. */
const WARM_UP_S = 2;

export interface Latency {
  readonly side: Side;
  /** ms from the producer's send to the reader at the far end. */
  readonly p50: number;
  readonly p99: number;
  readonly lost: number;
}

/**
 * Open loop: events leave at `rate` per second whatever the bridge does. Both ends are in this process, so one clock tells; a
 * late tick sends what has become due, stamped as it leaves.
 */
export async function latency(side: Side, pair: Pair, rate: number, seconds: number): Promise<Latency> {
  const run = await Run.open(side, pair);
  try {
    const { far } = run;
    const warmUp = Math.ceil(rate * WARM_UP_S);
    const events = warmUp + Math.ceil(rate * seconds);
    const sentAt = new Float64Array(events + 1);
    const took = new Float64Array(events + 1).fill(Number.NaN);
    let arrived = 0;
    await far.listen((payload) => {
      const n = numberIn(payload);
      if (!Number.isNaN(took[n])) return;
      took[n] = performance.now() - (sentAt[n] as number);
      arrived += 1;
    });
    await run.start();
    const feed = await run.feed();
    // One event through, again and again until the bridge is up: a group has to form, a session to be resumed.
    sentAt[events] = performance.now();
    await feed.send([benchEvent(events)]);
    await eventually(() => arrived > 0, { timeoutMs: 60_000 });
    const pending: Promise<void>[] = [];
    const began = performance.now();
    for (let sent = 0; sent < events; ) {
      const now = performance.now();
      const due = Math.min(events, Math.floor(((now - began) * rate) / 1_000));
      if (due > sent) {
        const burst = Array.from({ length: due - sent }, (_, n) => benchEvent(sent + n));
        sentAt.fill(performance.now(), sent, due);
        pending.push(feed.send(burst));
        sent = due;
      }
      await sleep(TICK_MS);
    }
    await Promise.all(pending);
    await progress(run.bridge, 20, async () => arrived, events + 1).catch(() => undefined); // what is missing is reported
    const measured = [...took.subarray(warmUp, events)].filter((ms) => !Number.isNaN(ms));
    await run.bridge.stop();
    return { side, p50: quantile(measured, 0.5), p99: quantile(measured, 0.99), lost: events + 1 - arrived };
  } finally {
    await run.close();
  }
}
