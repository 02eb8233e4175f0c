import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { MemoryBroker } from '../../src/adapters/memory/broker.ts';
import { encode } from '../../src/adapters/memory/codec.ts';
import { memory } from '../../src/adapters/memory/index.ts';
import { adapters } from '../../src/adapters/registry.ts';
import type { AdapterSpec } from '../../src/adapters/spec.ts';
import { type Gateway, openGateway } from '../../src/app.ts';
import { formatFinding } from '../../src/config/finding.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { GatewayConfig } from '../../src/config/types.ts';
import { MeshEvent } from '../../src/core/event.ts';
import type { Log } from '../../src/core/log.ts';
import { LEARNING_PACE, type LearningPace } from '../../src/learning/pace.ts';
import { ModelRegistry, trainModel } from '../../src/modelling.ts';
import { seeded } from '../../test/setup/seeded.ts';
import { type Arm, type Figures, figures, figuresText, type Stretch } from './figures.ts';
import { openLoop, Receiver } from './world.ts';

/** How long everything takes, in ms; what is not here takes as long as it takes. */
export interface DemoScript {
  readonly perSecond: number;
  /** Without a model; what the first one is trained on. */
  readonly firstMs: number;
  /** With the first model, before anything changes. */
  readonly calmMs: number;
  /** Decisions since the alarm that a training waits for. */
  readonly minRows: number;
  /** The loop has to be closed by then, from the beginning: what comes after takes 50 s, and all of it five minutes. */
  readonly closedByMs: number;
  /** At the end each policy decides for so long, `rounds` times. */
  readonly turnMs: number;
  readonly rounds: number;
  readonly pace: LearningPace;
}

export const DEMO: DemoScript = {
  perSecond: 200,
  firstMs: 30_000,
  calmMs: 20_000,
  minRows: 5_000,
  closedByMs: 235_000,
  turnMs: 5_000,
  rounds: 2,
  pace: {
    ...LEARNING_PACE,
    lookMs: 250,
    drift: { ...LEARNING_PACE.drift, binMs: 500, warmUp: 15, tolerance: 0.05, threshold: 2 },
    // The newest fifths of half a minute are short.
    train: { gapMs: 1_000, validShare: 0.2, testShare: 0.2, minLeaf: 40 },
    rollout: {
      ...LEARNING_PACE.rollout,
      sliceMs: 600,
      washMs: 150,
      shadowSlices: 10,
      steps: [
        { share: 0.05, slices: 46 },
        { share: 0.25, slices: 24 },
        { share: 1, slices: 4 },
      ],
      watchSlices: 5,
      leastSlices: 1,
    },
  },
};

export interface DemoResult {
  readonly closed: boolean;
  readonly figures: readonly Figures[];
}

/** What is let go before a policy is measured: what the one before did still shows. */
const WASH_MS = 2_000;
const TIMEOUT_MS = 2_000;
const MODEL = 'latency';
const FIRST_TRIES = 3;
/** Of each family: a third of what is usual, so that the loop closes within its time on a busy machine. */
const SCENARIOS = 1;
const EU = { medianMs: 15, largeMs: 35, crowding: 0 };
/** Events get in each other's way there after the change. */
const CROWDING = 0.6;
const LARGE = Buffer.alloc(20_000, 'a');
const SMALL = Buffer.alloc(400, 'a');

/**
 * The loop of learning, closed: a gateway, receivers of its own, traffic, a first model; then events begin to get in
 * each other's way at one receiver, and the rest is the gateway's: alarm, training, gate, canary, promotion. Tells what happens as it does.
 */
export async function demoLearning(script: DemoScript, tell: (line: string) => void): Promise<DemoResult> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-learning-'));
  const random = seeded(1);
  const receivers = [
    new Receiver('eu', EU, random),
    new Receiver('us', { medianMs: 35, largeMs: 70, crowding: 0 }, random),
    new Receiver('ap', { medianMs: 60, largeMs: 120, crowding: 0 }, random),
  ];
  const begun = performance.now();
  const say = (text: string): void =>
    tell(`${((performance.now() - begun) / 1_000).toFixed(1).padStart(6)} s  ${text}`);
  const broker = new MemoryBroker(100_000);
  const urls = await Promise.all(receivers.map((receiver) => receiver.open()));
  const config = (mode: string): GatewayConfig => configOf(folder, receivers, urls, script, mode);
  const env = { adapters: [...adapters.filter(({ type }) => type !== 'memory'), fedBy(broker)], pace: script.pace };
  let failure: Error | undefined;
  const gateway = await openGateway(config('active'), { ...env, log: story(say) }, (error) => {
    failure = error;
  });
  gateway.start((error) => {
    failure = error;
  });
  let stopTraffic = (): void => undefined;
  try {
    await gateway.ready(10_000);
    stopTraffic = traffic(broker, script.perSecond);
    const registry = new ModelRegistry(join(folder, 'models'));
    say(
      `${script.perSecond} events/s to eu (15 ms, large ones 35), us (35 and 70) and ap (60 and 120); every fifth is large; no model yet`,
    );
    await sleep(script.firstMs);
    const first = await firstModel(folder, registry, script, say);
    await until(gateway, 20_000, ({ version }) => version === first);
    const loaded = Date.now();
    await sleep(script.calmMs);
    say('the change: from now on each event under way at eu makes the others 60 % slower');
    (receivers[0] as Receiver).manner = { ...EU, crowding: CROWDING };
    const changed = Date.now();
    const second = await closed(gateway, first, script.closedByMs - (performance.now() - begun));
    if (second === undefined || failure !== undefined) {
      say(`the loop did not close: ${failure?.message ?? JSON.stringify(gateway.status().models)}`);
      return { closed: false, figures: [] };
    }
    const promoted = Date.now();
    say(`the loop is closed ${((promoted - changed) / 1_000).toFixed(0)} s after the change; now all three take turns`);
    const turns = await takeTurns(gateway, registry, config, [first, second], script);
    stopTraffic();
    await gateway.stop();
    const found = await figures(join(folder, 'telemetry'), turns, TIMEOUT_MS);
    const eu = { target: 'eu', forecasts: true };
    const last = turns.at(-1) as Arm;
    const forecasts = await figures(
      join(folder, 'telemetry'),
      [
        { ...eu, name: `eu by version ${first}, before`, stretches: [{ from: loaded, to: changed }] },
        { ...eu, name: `eu by version ${first}, after`, stretches: [{ from: changed, to: changed + script.calmMs }] },
        { ...eu, name: `eu by version ${second}, after`, stretches: last.stretches },
      ],
      TIMEOUT_MS,
    );
    tell(
      `\nby turns, after the change\n${figuresText(found)}\nwhat was sent to eu, and how far forecasts were off\n${figuresText(forecasts).trimEnd()}`,
    );
    return { closed: true, figures: found };
  } finally {
    stopTraffic();
    await gateway.stop();
    for (const receiver of receivers) await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Trains until a model passes the gate, and puts it in force. */
async function firstModel(
  folder: string,
  registry: ModelRegistry,
  { pace, firstMs }: DemoScript,
  say: (text: string) => void,
): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const into = { registry, name: MODEL };
    const { added, read, gate } = await trainModel({
      paths: [join(folder, 'telemetry')],
      options: pace.train,
      scenarios: SCENARIOS,
      into,
    });
    if (added === undefined) throw new Error('the registry took no model');
    const { version } = added;
    const failed = gate.checks.filter(({ passed }) => !passed).map(({ name }) => name);
    say(
      `version ${version} trained on ${read.rows} rows: ${gate.passed ? 'the gate passes' : `no, ${failed.join(', ')}`}`,
    );
    if (gate.passed || tries === FIRST_TRIES) {
      await registry.promote(MODEL, version);
      say(`version ${version} is put in force${gate.passed ? '' : ' all the same'}`);
      return version;
    }
    await sleep(firstMs / 3);
  }
}

/** Resolves with the version that replaced the first once the gateway has watched it; undefined where none did in time. */
async function closed(gateway: Gateway, first: number, withinMs: number): Promise<number | undefined> {
  const good = await until(
    gateway,
    withinMs,
    ({ version, retraining }) =>
      version !== undefined &&
      version !== first &&
      retraining?.last?.outcome === 'promoted' &&
      retraining.phase === 'idle',
  );
  return good ? gateway.status().models[0]?.version : undefined;
}

type Model = ReturnType<Gateway['status']>['models'][number];

async function until(gateway: Gateway, withinMs: number, holds: (model: Model) => boolean): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const [model] = gateway.status().models;
    if (model !== undefined && holds(model)) return true;
    if (performance.now() > deadline) return false;
    await sleep(100);
  }
}

/** The analytic policy, the old and the new model, by turns, in the changed world. */
async function takeTurns(
  gateway: Gateway,
  registry: ModelRegistry,
  config: (mode: string) => GatewayConfig,
  [first, second]: readonly [number, number],
  { turnMs, rounds }: DemoScript,
): Promise<readonly Arm[]> {
  const arms = [
    { name: 'analytic policy, no model', mode: 'shadow', version: second, forecasts: false },
    { name: `version ${first}, trained before`, mode: 'active', version: first, forecasts: true },
    { name: `version ${second}, trained after`, mode: 'active', version: second, forecasts: true },
  ].map((arm) => ({ ...arm, stretches: [] as Stretch[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { mode, version, stretches } of arms) {
      await registry.promote(MODEL, version);
      await gateway.reload(config(mode));
      await until(gateway, 10_000, (model) => model.version === version);
      await sleep(WASH_MS);
      const from = Date.now();
      await sleep(turnMs);
      stretches.push({ from, to: Date.now() });
    }
  }
  return arms;
}

function traffic(broker: MemoryBroker, perSecond: number): () => void {
  const topic = broker.topic('in');
  const random = seeded(2);
  let sent = 0;
  return openLoop(perSecond, seeded(3), (count) => {
    const records = Array.from({ length: count }, () => {
      sent += 1;
      const event = new MeshEvent({
        id: `e-${sent}`,
        source: '/demo/learning',
        type: 'demo.reading',
        datacontenttype: 'text/plain',
        data: random() < 1 / 5 ? LARGE : SMALL,
      });
      return encode(event, 'binary');
    });
    topic.put(records);
  });
}

/** The memory adapter with a broker that events can be put into from here. */
function fedBy(broker: MemoryBroker): AdapterSpec {
  return {
    ...memory,
    createBroker: () =>
      Object.assign(Object.create(broker) as MemoryBroker, {
        topic: (name: string) => broker.topic(name),
        close: async () => undefined,
      }),
  };
}

function configOf(
  folder: string,
  receivers: readonly Receiver[],
  urls: readonly string[],
  { minRows }: DemoScript,
  mode: string,
): GatewayConfig {
  const named = (entry: (name: string, at: number) => object): object =>
    Object.fromEntries(receivers.map(({ name }, at) => [name, entry(name, at)]));
  const document = {
    version: 1,
    name: 'learning',
    brokers: { in: { type: 'memory' }, ...named((_, at) => ({ type: 'http', url: urls[at] })) },
    sources: { in: { broker: 'in', topic: 'in' } },
    targets: named((name) => ({
      broker: name,
      url: '/events',
      policies: ['quick'],
      capacity: { concurrent: 64 },
    })),
    policies: { quick: { timeout: `${TIMEOUT_MS}ms`, retry: 3 } },
    telemetry: { path: join(folder, 'telemetry'), sample: 1 },
    models: {
      [MODEL]: { registry: join(folder, 'models'), retrain: { every: '1h', minRows }, gate: { scenarios: SCENARIOS } },
    },
    choices: {
      any: {
        targets: receivers.map(({ name }) => name),
        by: 'predictive',
        model: MODEL,
        mode,
        slo: '100ms',
        explore: 0.04,
      },
    },
    routes: [{ name: 'all', from: ['in'], to: ['any'], delivery: { deadLetter: { store: true } } }],
    store: { path: join(folder, 'store') },
    drain: { deadline: '3s' },
  };
  const { config, findings } = loadConfig(stringify(document), {
    adapters,
    env: {},
    readFile: () => '',
    file: 'demo.yaml',
  });
  if (config === undefined) throw new Error(findings.map(formatFinding).join('\n'));
  return config;
}

/** What the gateway logs of its learning, as lines of the story. */
function story(say: (text: string) => void): Log {
  const told = (fields: object, message: string): void => {
    if (!message.includes('model')) return;
    const rest = Object.entries(fields)
      .filter(([name, value]) => name !== 'model' && name !== 'sha256' && value !== undefined)
      .map(([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toPrecision(3)) : String(value)}`);
    say(rest.length === 0 ? message : `${message} (${rest.join(', ')})`);
  };
  const log: Log = { debug: () => undefined, info: told, warn: told, error: told, child: () => log };
  return log;
}
