import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Brokers, startBrokers } from '../../test/brokers/index.mjs';
import type { Kind } from '../../test/setup/places/place.ts';
import { measurePair, type PairResult } from './pair.ts';
import { report } from './report.ts';
import type { Pair } from './run.ts';

const BROKERS: readonly Kind[] = ['kafka', 'rabbitmq', 'mqtt', 'sqs'];
const PAIRS: readonly Pair[] = [
  ...BROKERS.flatMap((from) => BROKERS.filter((to) => to !== from).map((to): Pair => [from, to])),
  ['http', 'rabbitmq'],
];

export interface PairsOptions {
  /** `from:to`; all when empty. */
  readonly pairs: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  readonly json: string | undefined;
}

/** Prints progress to stderr and the table to stdout; false where an event was lost. */
export async function benchPairs(options: PairsOptions): Promise<boolean> {
  const chosen = options.pairs.length === 0 ? PAIRS : options.pairs.map(pairNamed);
  const log = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const brokers = await startBrokers({
    log,
    settings: {
      elasticmq: { 'messages-storage.enabled': false }, // its disk store ends at about 1,300 events/s
      mosquitto: { persistence: false }, // saving a backlog every two seconds would stop it each time
    },
  });
  Object.assign(process.env, brokers.env, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
  const results: PairResult[] = [];
  const write = (): void => {
    if (options.json === undefined) return;
    const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
    writeFileSync(options.json, `${JSON.stringify({ ...machine, ...options, results }, undefined, 2)}\n`);
  };
  try {
    for (const pair of chosen) {
      results.push(
        await measurePair(pair, {
          rounds: options.rounds,
          seconds: options.seconds,
          latencyRounds: options.quick ? 1 : 3,
          brokers: pidsOf(brokers, pair),
          log,
        }),
      );
      write(); // what is measured stays, should a later pair fail
    }
  } finally {
    await brokers.stop();
  }
  process.stdout.write(report(results));
  return results.every(({ raw, gateway }) => raw.lost === 0 && gateway.lost === 0);
}

function pairNamed(name: string): Pair {
  const found = PAIRS.find((pair) => pair.join(':') === name);
  if (found === undefined)
    throw new Error(`no pair ${name}; there are ${PAIRS.map((pair) => pair.join(':')).join(' ')}`);
  return found;
}

/** The processes of the pair's brokers, where this run has started them. */
function pidsOf({ dir }: Brokers, pair: Pair): Record<string, number> {
  const names: Record<string, string> = { mqtt: 'mosquitto', sqs: 'elasticmq' };
  let state: { brokers: Record<string, { processes: { pid: number }[] }> };
  try {
    state = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8'));
  } catch {
    return {}; // every broker was given
  }
  const pids: Record<string, number> = {};
  for (const kind of pair) {
    const pid = state.brokers[names[kind] ?? kind]?.processes.at(-1)?.pid;
    if (pid !== undefined) pids[kind] = pid;
  }
  return pids;
}
