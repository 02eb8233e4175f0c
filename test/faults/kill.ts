import { eventually } from '../setup/eventually.ts';
import { routeConfig } from '../setup/gateway.ts';
import { createPlace } from '../setup/places/index.ts';
import type { Kind } from '../setup/places/place.ts';
import { seeded } from '../setup/seeded.ts';
import { GatewayProcess } from './child.ts';
import { faultEvent, Ledger, type LedgerReport } from './ledger.ts';

export const KILL_PAIRS: readonly (readonly [Kind, Kind])[] = [
  ['kafka', 'rabbitmq'],
  ['rabbitmq', 'sqs'],
  ['mqtt', 'kafka'],
  ['sqs', 'mqtt'],
];

const BURST = 250;

/**
 * Kills the gateway with SIGKILL while events flow, starts it again, and counts what came out. `random` chooses the
 * moment: after between a tenth and nine tenths of the events have been delivered.
 */
export async function killOnce(
  pair: readonly [Kind, Kind],
  events: number,
  random: () => number,
): Promise<LedgerReport> {
  const from = await createPlace(pair[0]);
  const to = await createPlace(pair[1]);
  const source = { ...from.source, ...(pair[0] === 'sqs' ? { visibilityTimeout: '6s' } : {}) };
  const text = routeConfig({ ...from, source }, to, { store: { path: '$STORE' }, log: { level: 'info' } });
  const gateway = new GatewayProcess(text);
  const ledger = new Ledger();
  try {
    await to.read((event) => ledger.delivered(event));
    gateway.start();
    // An MQTT broker keeps events only for a session that exists: the gateway must have subscribed once.
    await gateway.until(() => gateway.log().includes('"source is up"'));
    const killAt = Math.floor(events * (0.1 + random() * 0.8));
    const producing = (async () => {
      for (let at = 0; at < events; at += BURST) {
        const burst = Array.from({ length: Math.min(BURST, events - at) }, (_, n) => faultEvent(at + n));
        ledger.produced(burst);
        await from.produce(burst, 'structured');
        ledger.acknowledged(burst);
      }
    })();
    await gateway.until(() => ledger.distinct >= killAt, 60_000, 1);
    await gateway.end('SIGKILL');
    await producing;
    gateway.start();
    await gateway.until(() => gateway.log().split('"source is up"').length > 2);
    await eventually(() => ledger.missing === 0, { timeoutMs: 60_000 }).catch(() => undefined); // what is missing is in the report
    const code = await gateway.end('SIGTERM');
    if (code !== 0) throw new Error(`SIGTERM ended the gateway with ${code}: ${gateway.log().slice(-2_000)}`);
    return ledger.report();
  } finally {
    gateway.cleanup();
    await to.close();
    await from.close();
  }
}

/** Every pair `repeats` times; one line of JSON each, and one per pair that adds up. */
export async function runKill(options: {
  repeats: number;
  events: number;
  seed: number;
  pairs: typeof KILL_PAIRS;
}): Promise<boolean> {
  let good = true;
  for (const pair of options.pairs) {
    const sum = { acknowledged: 0, delivered: 0, duplicates: 0, lost: 0, foreign: 0, inversions: 0 };
    for (let repeat = 0; repeat < options.repeats; repeat += 1) {
      const report = await killOnce(pair, options.events, seeded(options.seed + repeat));
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += report[name];
      process.stderr.write(`${JSON.stringify({ case: 'kill', pair: pair.join('→'), repeat, ...report })}\n`);
    }
    process.stdout.write(
      `${JSON.stringify({ case: 'kill', pair: pair.join('→'), repeats: options.repeats, ...sum })}\n`,
    );
    good &&= sum.lost === 0 && sum.foreign === 0;
  }
  return good;
}
