import { MemoryBroker } from '../src/adapters/memory/broker.ts';
import { encode } from '../src/adapters/memory/codec.ts';
import { memory } from '../src/adapters/memory/index.ts';
import type { AdapterSpec } from '../src/adapters/spec.ts';
import { Gateway, type OwnedDeadLetters } from '../src/app.ts';
import { environment } from '../src/components.ts';
import { loadConfig } from '../src/config/load.ts';
import { MeshEvent } from '../src/core/event.ts';
import { openTracing } from '../src/tracing.ts';
import { median } from './stats.ts';

const RING = 10_000;
const KEYS = 1_000;
const ROUTES = 10;
/** Targets of a choice. */
const CANDIDATES = 4;
/** Events put in at once: two batches of the source, so that the queue in front measures nothing. */
const BURST = 1_024;

/** Memory → ten routes → memory, with key order, a policy and counters on: the gateway's own cost per event. */
export interface CoreResult {
  readonly events: number;
  readonly eventsPerCpuSecond: readonly number[];
  readonly median: number;
  /** By the clock: worker processes are not in the CPU time of this one. */
  readonly perSecond: number;
  readonly settled: number;
}

/** What of a configuration a bench varies. */
export interface CoreOptions {
  /** What every route does to its events, as YAML in one line. */
  readonly transform?: string | undefined;
  /** All routes lead to one choice of four targets: its fields, as YAML in one line. */
  readonly choice?: string | undefined;
  /** Further sections. */
  readonly sections?: string | undefined;
}

const configOf = ({ transform, choice, sections = '' }: CoreOptions): string => `
version: 1
brokers: { mem: { type: memory, maxEvents: 200000 } }
sources: { in: { broker: mem, topic: in, window: { maxEvents: 50000, maxBytes: 256MiB } } }
targets:
${Array.from({ length: ROUTES }, (_, n) => `  t${n}: { broker: mem, topic: out-${n}, policies: [careful], lane: { maxEvents: 50000, maxBytes: 256MiB } }`).join('\n')}
policies: { careful: { retry: 5, backoffPolicy: exponential, backoffDelay: 200ms, timeout: 10s } }
routes:
${Array.from({ length: ROUTES }, (_, n) => `  - { name: r${n}, from: [in], when: { filters: [{ exact: { type: com.acme.t${n} } }] }, to: [${choice === undefined ? `t${n}` : 'any'}],${transform === undefined ? '' : ` transform: ${transform},`} delivery: { deadLetter: { store: true } } }`).join('\n')}
unmatched: drop
${choice === undefined ? '' : `choices: { any: { targets: [${Array.from({ length: CANDIDATES }, (_, n) => `t${n}`).join(', ')}], ${choice} } }`}
${sections}
`;

const noDeadLetters: OwnedDeadLetters = {
  close: async () => {},
  put: async () => {
    throw new Error('the core bench makes no dead letters');
  },
  wrap: () => {
    throw new Error('the core bench makes no dead letters');
  },
};

export async function benchCore(options: CoreOptions & { events: number; rounds: number }): Promise<CoreResult> {
  const ring = makeRing();
  const config = configOf(options);
  const rates: number[] = [];
  const wall: number[] = [];
  let settled = 0;
  await round(ring, Math.min(options.events, 200_000), config); // warm-up
  for (let n = 0; n < options.rounds; n += 1) {
    const result = await round(ring, options.events, config);
    rates.push(result.rate);
    wall.push(result.perSecond);
    settled += result.settled;
  }
  return { events: options.events, eventsPerCpuSecond: rates, median: median(rates), perSecond: median(wall), settled };
}

async function round(
  ring: readonly MeshEvent[],
  count: number,
  text: string,
): Promise<{ rate: number; perSecond: number; settled: number }> {
  const hub = new MemoryBroker(200_000);
  const spec: AdapterSpec = { ...memory, createBroker: () => hub };
  const { config, findings } = loadConfig(text, { adapters: [spec], env: {}, readFile: () => '', file: 'bench' });
  if (config === undefined) throw new Error(JSON.stringify(findings));
  const env = environment({ adapters: [spec] });
  const gateway = new Gateway(config, noDeadLetters, env, await openTracing(config, env));
  const input = hub.topic('in');
  const outputs = Array.from({ length: ROUTES }, (_, n) => hub.topic(`out-${n}`));
  gateway.start((error) => {
    throw error;
  });
  await gateway.ready(5_000);
  await modelsInForce(gateway);
  const records = ring.map((event) => encode(event, 'binary'));
  let produced = 0;
  let consumed = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  let empty = 0;
  while (consumed < count) {
    while (produced < count && input.room >= BURST && input.waiting < BURST) {
      const at = produced % ring.length;
      produced += input.put(records.slice(at, at + Math.min(BURST, count - produced)));
    }
    const before = consumed;
    await new Promise((resolve) =>
      empty > 8 && text.includes('jsonata') ? setTimeout(resolve, 1) : setImmediate(resolve),
    );
    for (const output of outputs) {
      const taken = output.take(20_000).length;
      output.acknowledge(taken);
      consumed += taken;
    }
    // Nothing to do here: the work is somewhere else, and waiting must cost nothing.
    empty = consumed === before ? empty + 1 : 0;
  }
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1_000;
  const source = gateway.status().sources[0];
  const settled = source?.counters.acknowledged ?? 0;
  if (settled !== count || !gateway.status().balanced) throw new Error(`settled ${settled} of ${count}`);
  await gateway.stop();
  return { rate: count / ((used.user + used.system) / 1e6), perSecond: count / seconds, settled };
}

/** Loading a model takes CPU too, but once: what is measured is what comes after. */
async function modelsInForce(gateway: Gateway): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (gateway.status().models.some(({ sha256 }) => sha256 === undefined)) {
    if (performance.now() > deadline) throw new Error('a model was not loaded within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function makeRing(): MeshEvent[] {
  const filler = 'x'.repeat(1024 - 40);
  return Array.from(
    { length: RING },
    (_, n) =>
      new MeshEvent({
        id: `e-${n}`,
        source: '/bench/core',
        type: `com.acme.t${n % ROUTES}`,
        datacontenttype: 'application/json',
        extensions: Object.assign(Object.create(null), { partitionkey: `k-${n % KEYS}` }),
        data: Buffer.from(JSON.stringify({ n, filler })),
      }),
  );
}
