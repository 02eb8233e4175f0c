// npm run test:faults -- kill|outage|stall [--repeats N] [--events N] [--seed N] [--seconds N] [--pair from:to]
import { parseArgs } from 'node:util';
import { startBrokers } from '../brokers/index.mjs';
import type { Kind } from '../setup/places/place.ts';
import { KILL_PAIRS, runKill } from './kill.ts';
import { outage } from './outage.ts';
import { stall } from './stall.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    repeats: { type: 'string', default: '20' },
    events: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    pair: { type: 'string' },
  },
});

const OUTAGES = [
  ['mqtt', 'rabbitmq', 'rabbitmq'],
  ['sqs', 'kafka', 'kafka'],
  ['kafka', 'sqs', 'elasticmq'],
] as const;

const [name] = positionals;
if (name !== 'kill' && name !== 'outage' && name !== 'stall') {
  process.stderr.write(
    'usage: npm run test:faults -- kill|outage|stall [--repeats N] [--events N] [--seconds N] [--pair from:to]\n',
  );
  process.exit(2);
}

const brokers = await startBrokers({ log: (line) => process.stderr.write(`${line}\n`) });
Object.assign(process.env, brokers.env);
const print = (report: object): boolean => process.stdout.write(`${JSON.stringify(report)}\n`);
let good = true;
try {
  if (name === 'kill') {
    const chosen = values.pair?.split(':') as [Kind, Kind] | undefined;
    const pairs = chosen === undefined ? KILL_PAIRS : [chosen];
    good = await runKill({
      repeats: Number(values.repeats),
      events: Number(values.events),
      seed: Number(values.seed),
      pairs,
    });
  } else if (name === 'outage') {
    for (const [from, to, broker] of OUTAGES) {
      const report = await outage(brokers, [from, to], broker, {
        events: Number(values.events),
        outageMs: Number(values.seconds) * 1_000,
      });
      print({ case: 'outage', pair: `${from}→${to}`, ...report });
      good &&= report.lost === 0 && report.foreign === 0;
    }
  } else {
    const report = await stall(brokers, { stallMs: Number(values.seconds) * 1_000, backlog: 60_000 });
    print({ case: 'stall', ...report });
    good = report.rssGrowthMiB <= 64 && report.rssPeakMiB <= 400 && report.otherRatio >= 0.9;
  }
} finally {
  await brokers.stop();
}
process.exit(good ? 0 : 1);
