import { setTimeout as sleep } from 'node:timers/promises';
import type { SelectorName } from '../../src/core/selector.ts';
import { GatewayProcess } from '../../test/faults/child.ts';
import { eventually } from '../../test/setup/eventually.ts';
import { freePort } from '../../test/setup/places/index.ts';
import type { Arrivals } from './arrivals.ts';
import { gatewayConfig, type Learning } from './gateway.ts';
import { Client } from './load.ts';
import { liveEvent, schedule } from './schedule.ts';
import type { Phase, PhaseName } from './script.ts';
import type { LiveKind, LiveTarget } from './stand.ts';

const TICK_MS = 1;
const SAMPLE_MS = 50;
/** How long the last events may take to be answered, and what was answered to arrive. */
const PATIENCE_MS = 8_000;

export interface BlockOptions {
  /** Tells blocks apart. */
  readonly number: number;
  readonly by: SelectorName;
  readonly seed: number;
  /** The target that is in trouble. */
  readonly hit: LiveKind;
  readonly perSecond: number;
  readonly phases: readonly Phase[];
  readonly learning: Learning;
}

/** All that was seen in one block; times are in ms since its begin. */
export interface Block {
  readonly by: SelectorName;
  readonly seed: number;
  readonly hit: LiveKind;
  /** When each event was due to be sent, in ascending order. */
  readonly due: Float64Array;
  /** When the gateway said that it was taken; NaN where it refused, or never said anything. */
  readonly taken: Float64Array;
  readonly spans: readonly Span[];
  /** Bytes that had gone to the troubled target. */
  readonly passed: readonly { readonly at: number; readonly bytes: number }[];
  /** Taken, and did not arrive at any target. */
  readonly lost: number;
  /** Further arrivals of the same event. */
  readonly duplicates: number;
}

export interface Span {
  readonly name: PhaseName;
  readonly from: number;
  readonly to: number;
}

/**
 * One policy through all phases, in a gateway process of its own. Open loop: events leave when they are due, whatever
 * becomes of those before, and what an event waits because this process was late counts as its latency.
 */
export async function runBlock(
  options: BlockOptions,
  targets: readonly LiveTarget[],
  arrivals: Arrivals,
): Promise<Block> {
  const { number, by, seed, hit, perSecond, phases } = options;
  const troubled = targets.find(({ kind }) => kind === hit) as LiveTarget;
  for (const target of targets) target.suffer({});
  const port = await freePort();
  const gateway = new GatewayProcess(gatewayConfig(targets, by, port, options.learning));
  const client = new Client(port);
  try {
    gateway.start();
    await eventually(() => client.post(liveEvent(-1, 0)), { timeoutMs: 30_000 }).catch((cause) => {
      throw new Error(`the gateway takes no events; its log ends with: ${gateway.log().slice(-2_000)}`, { cause });
    });
    const due = schedule(perSecond, sum(phases.map(({ ms }) => ms)), seed);
    arrivals.expect(number, due.length);
    const taken = new Float64Array(due.length).fill(Number.NaN);
    const passed: { at: number; bytes: number }[] = [];
    const spans = await drive(due, phases, {
      post: async (n, now) => {
        if (await client.post(liveEvent(number, n))) taken[n] = now();
      },
      enter: ({ trouble }) => troubled.suffer(trouble),
      sample: (at) => passed.push({ at, bytes: troubled.passed }),
    });
    const arrived = async (): Promise<boolean> => {
      await arrivals.drain();
      return lostOf(taken, arrivals) === 0;
    };
    await eventually(arrived, { timeoutMs: PATIENCE_MS, everyMs: 200 }).catch(() => undefined); // what is lost is reported
    const refused = /"code":"E_MODEL_[^\n]*/.exec(gateway.log());
    if (refused !== null) throw new Error(`the gateway does not use the model: ${refused[0]}`);
    const code = await gateway.end('SIGTERM');
    if (code !== 0) throw new Error(`the gateway ended with ${code}: ${gateway.log().slice(-2_000)}`);
    let duplicates = 0;
    for (let n = 0; n < due.length; n += 1) duplicates += Math.max(0, arrivals.of(n) - 1);
    return { by, seed, hit, due, taken, spans, passed, lost: lostOf(taken, arrivals), duplicates };
  } finally {
    await client.close();
    gateway.cleanup();
  }
}

interface Drive {
  post(n: number, now: () => number): Promise<void>;
  enter(phase: Phase): void;
  sample(at: number): void;
}

async function drive(due: Float64Array, phases: readonly Phase[], by: Drive): Promise<readonly Span[]> {
  const began = performance.now();
  const now = (): number => performance.now() - began;
  const posts: Promise<void>[] = [];
  const spans: Span[] = [];
  let next = 0;
  let sampleAt = 0;
  for (const phase of phases) {
    by.enter(phase);
    const from = now();
    const end = sum(phases.slice(0, spans.length + 1).map(({ ms }) => ms));
    while (now() < end) {
      for (; next < due.length && (due[next] as number) <= now(); next += 1) posts.push(by.post(next, now));
      if (now() >= sampleAt) {
        by.sample(now());
        sampleAt += SAMPLE_MS;
      }
      await sleep(TICK_MS);
    }
    spans.push({ name: phase.name, from, to: now() });
  }
  await Promise.race([Promise.all(posts), sleep(PATIENCE_MS)]);
  return spans;
}

function lostOf(taken: Float64Array, arrivals: Arrivals): number {
  let lost = 0;
  for (let n = 0; n < taken.length; n += 1) if (!Number.isNaN(taken[n]) && arrivals.of(n) === 0) lost += 1;
  return lost;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
