import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FairleadError } from '../../src/core/errors.ts';
import type { Log } from '../../src/core/log.ts';
import { CostBook } from '../../src/learning/cost-book.ts';
import { ModelHost } from '../../src/learning/model-host.ts';
import { LEARNING_PACE, type LearningPace } from '../../src/learning/pace.ts';
import { Retrainer, type RetrainerParts, type RetrainingStatus } from '../../src/learning/retrainer.ts';
import { ROLLOUT_RULES } from '../../src/learning/rollout.ts';
import type { TrainReport, trainModel } from '../../src/modelling.ts';
import type { EvalReport } from '../../src/models/evaluating.ts';
import type { Metrics } from '../../src/models/metrics.ts';
import { ModelRegistry } from '../../src/models/registry.ts';
import { stepModel } from '../models/models-of-a-test.ts';
import { eventually } from '../setup/eventually.ts';
import { FakeClock } from '../setup/fake-clock.ts';
import { seeded } from '../setup/seeded.ts';
import { addModel } from './registered.ts';

const PACE: LearningPace = {
  ...LEARNING_PACE,
  lookMs: 200,
  rollout: {
    ...ROLLOUT_RULES,
    sliceMs: 1_000,
    washMs: 200,
    shadowSlices: 4,
    steps: [
      { share: 0.25, slices: 24 },
      { share: 1, slices: 4 },
    ],
    watchSlices: 8,
    leastEvents: 2,
  },
};

const EVERY_MS = 60_000;

function gateReport(passed: boolean): TrainReport['gate'] {
  const check = { name: 'rows', value: 1, limit: 1, passed };
  return { passed, checks: [check], unjudged: [] } as unknown as TrainReport['gate'];
}

function driftSince(since: number): Parameters<Retrainer['drifted']>[0] {
  return { choice: 'any', target: 'eu', since, rise: 0.5, beyondAverage: true };
}

/** A model `m` in a registry of its own, whose trainings give models of the test's making. */
async function rig(options: { mode?: 'decides' | 'silent'; active?: boolean } = {}) {
  const clock = new FakeClock();
  const registry = new ModelRegistry(mkdtempSync(join(tmpdir(), 'fairlead-retrainer-')));
  const random = seeded(7);
  let made = 0;
  const world = {
    passes: true,
    failure: undefined as FairleadError | undefined,
    logMae: 0.2,
    /** Cost of a decision by version; undefined where none scores. */
    cost: (_version: number | undefined): number => 20,
    asked: [] as Parameters<typeof trainModel>[0][],
  };
  const add = async (passed: boolean) => {
    made += 1;
    return addModel(registry, stepModel('ack_ewma_1s', made, 5, 50), gateReport(passed));
  };
  if (options.active !== false) await registry.promote('m', (await add(true)).version);
  const logged: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      logged.push({ level, message, fields: { ...fields } });
    };
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  const book = new CostBook();
  const counters = { written: 0 };
  const host = new ModelHost({ name: 'm' }, { registry, clock, log, onChange: () => undefined });
  await host.start();
  const parts: RetrainerParts = {
    model: { name: 'm', retrain: { everyMs: EVERY_MS, minRows: 100 } },
    registry,
    host,
    book,
    telemetry: { path: '/nowhere', counters },
    costs: () => ({}),
    settleMs: () => 500,
    decides: () => options.mode !== 'silent',
    inTurn: (task) => task(),
    pace: PACE,
    clock,
    random,
    log,
    train: async (request) => {
      world.asked.push(request);
      if (world.failure !== undefined) throw world.failure;
      const added = await add(world.passes);
      return { added, gate: gateReport(world.passes), read: { rows: 1 } } as unknown as TrainReport;
    },
    evaluate: async () => {
      const metrics = (logMae: number): { overall: Metrics; byTarget: object } => ({
        overall: { rows: 1_000, logMae, pinball: 0.1 } as Metrics,
        byTarget: {},
      });
      const incumbent = { version: 1, evaluation: metrics(0.2), unusable: undefined };
      return { evaluation: metrics(world.logMae), baselines: [metrics(0.3)], incumbent } as unknown as EvalReport;
    },
  };
  const retrainer = new Retrainer(parts);
  onTestFinished(async () => {
    await retrainer.close();
    await host.close();
  });
  const scoring = (): number | undefined => {
    const { version, sha256, trial } = host.status;
    return host.scorer === undefined ? undefined : host.scorer.sha === sha256 ? version : trial;
  };
  const seen = new Set<number | undefined>();
  /** Lets time go by, with decisions in it, until a condition holds. */
  const until = (condition: () => boolean | Promise<boolean>): Promise<boolean> =>
    eventually(
      async () => {
        const version = scoring();
        seen.add(version);
        const cost = world.cost(version) * Math.exp((random() - 0.5) * 0.2);
        book.add(book.sliceAt(clock.now()), cost, false);
        counters.written += 1;
        await clock.advance(100);
        return condition();
      },
      { everyMs: 0 },
    );
  /** Starts it, and lets time go by until something has come of a training. */
  const concluded = async (): Promise<RetrainingStatus['last']> => {
    retrainer.start();
    await until(() => retrainer.status.last !== undefined);
    return retrainer.status.last;
  };
  return { clock, registry, host, retrainer, world, counters, until, concluded, seen, logged, scoring, parts };
}

describe('a retrainer', () => {
  test('trains at its interval, tries the model in shadow and slices, promotes and watches it', async () => {
    const { registry, retrainer, until, seen, scoring, counters, clock, world, logged } = await rig();
    retrainer.start();
    const states: string[] = [];
    await until(async () => {
      const { active, canary, shadow } = await registry.state('m');
      const state = `${retrainer.status.phase} ${retrainer.status.share}: ${active} ${shadow} ${canary}`;
      if (states.at(-1) !== state) states.push(state);
      return retrainer.status.last !== undefined;
    });
    expect(clock.now()).toBeGreaterThanOrEqual(EVERY_MS);
    expect(counters.written).toBeGreaterThanOrEqual(100);
    expect(states).toContain('shadow 0: 1 2 null');
    expect(states).toContain('canary 0.25: 1 null 2');
    expect(states).toContain('canary 1: 1 null 2');
    expect(states).toContain('watched 1: 2 null null');
    expect(retrainer.status).toMatchObject({
      phase: 'idle',
      counts: { trainings: 1, promoted: 1, rolledBack: 0, refused: 0, failed: 0 },
      last: { outcome: 'promoted', cause: 'schedule', version: 2 },
    });
    expect([...seen]).toEqual([1, 2]);
    expect(scoring()).toBe(2);
    expect(world.asked[0]?.since).toBeUndefined();
    expect(logged.map(({ message }) => message)).toContain('model promoted: it is in force');
    expect(await registry.state('m')).toEqual({ active: 2, previous: 1, canary: null, shadow: null });
  });

  test('a drift asks for one from what came since, once there are rows enough', async () => {
    const { retrainer, until, world, counters, clock } = await rig();
    retrainer.start();
    await until(() => counters.written > 50);
    retrainer.drifted(driftSince(1_234));
    await until(() => retrainer.status.phase === 'shadow');
    expect(clock.now()).toBeLessThan(EVERY_MS);
    expect(counters.written).toBeGreaterThanOrEqual(150);
    expect(world.asked).toMatchObject([{ since: 1_234 }]);
    retrainer.drifted(driftSince(9_999));
    await until(() => retrainer.status.last !== undefined);
    expect(retrainer.status).toMatchObject({ counts: { drifts: 2, trainings: 1 }, last: { cause: 'drift' } });
  });

  test('what the gate refuses is never tried; a drift asks again', async () => {
    const { retrainer, until, world, seen, registry } = await rig();
    world.passes = false;
    retrainer.start();
    retrainer.drifted(driftSince(0));
    await until(() => retrainer.status.counts.refused === 2);
    expect(retrainer.status.last).toMatchObject({ outcome: 'refused', version: 3, reason: 'rows is 1.00, not 1.00' });
    expect([...seen]).toEqual([1]);
    expect(await registry.state('m')).toMatchObject({ active: 1, canary: null, shadow: null });
  });

  test('what has drifted asks again where its model was rolled back, for twice as many rows each time', async () => {
    const { retrainer, until, world, counters } = await rig();
    world.logMae = 0.4;
    retrainer.start();
    retrainer.drifted(driftSince(1_234));
    const ends: number[] = [];
    const trainings: number[] = [];
    await until(() => {
      const { trainings: begun, rolledBack } = retrainer.status.counts;
      if (begun > trainings.length) trainings.push(counters.written);
      if (rolledBack > ends.length) ends.push(counters.written);
      return rolledBack === 3;
    });
    const waited = trainings.slice(1).map((at, n) => at - (ends[n] as number));
    expect(waited[0]).toBeGreaterThanOrEqual(100);
    expect(waited[0]).toBeLessThan(120);
    expect(waited[1]).toBeGreaterThanOrEqual(200);
    expect(waited[1]).toBeLessThan(220);
    expect(world.asked.map(({ since }) => since)).toEqual([1_234, 1_234, 1_234]);
    world.logMae = 0.2;
    await until(() => retrainer.status.counts.promoted === 1);
  });

  test('what has drifted asks again where a rollout failed, unless somebody has put another version in force', async () => {
    const { retrainer, until, world, parts, registry } = await rig();
    const evaluate = async (): Promise<EvalReport> => {
      throw new FairleadError({ code: 'E_MODEL_RUN', message: 'it died' });
    };
    const broken = Object.assign(parts, { evaluate });
    retrainer.start();
    retrainer.drifted(driftSince(1_234));
    await until(() => retrainer.status.counts.failed === 2);
    expect(world.asked.map(({ since }) => since)).toEqual([1_234, 1_234]);
    broken.evaluate = async () => {
      await registry.promote('m', 2);
      throw new FairleadError({ code: 'E_MODEL_SUPERSEDED', message: 'another is in force' });
    };
    await until(() => retrainer.status.counts.failed === 3);
    await until(() => retrainer.status.counts.trainings === 4);
    expect(world.asked[3]?.since).toBeUndefined();
  });

  test('in shadow a model that is worse on new rows is given up', async () => {
    const { concluded, world, seen } = await rig();
    world.logMae = 0.4;
    expect(await concluded()).toMatchObject({ outcome: 'rolled-back', reason: expect.stringMatching(/worse/) });
    expect([...seen]).toEqual([1]);
  });

  test('a canary that costs far more is rolled back at once', async () => {
    const { retrainer, concluded, world, registry, scoring, seen } = await rig();
    world.cost = (version) => (version === 2 ? 100 : 20);
    await concluded();
    expect(retrainer.status).toMatchObject({ counts: { rolledBack: 1 }, last: { outcome: 'rolled-back' } });
    expect([...seen]).toEqual([1, 2]);
    expect(scoring()).toBe(1);
    expect(await registry.state('m')).toEqual({ active: 1, previous: null, canary: null, shadow: null });
  });

  test('a model that goes wrong once it is in force is taken out again', async () => {
    const { retrainer, concluded, world, registry, scoring } = await rig();
    world.cost = (version) => (version === 2 && retrainer.status.phase === 'watched' ? 100 : 20);
    expect(await concluded()).toMatchObject({ outcome: 'rolled-back', version: 2 });
    expect(await registry.state('m')).toMatchObject({ active: 1, previous: null });
    expect(scoring()).toBe(1);
  });

  test('the first model of all is held against choices without one', async () => {
    const { retrainer, concluded, world, registry, seen } = await rig({ active: false });
    world.cost = (version) => (version === 1 && retrainer.status.phase === 'watched' ? 100 : 20);
    await concluded();
    expect([...seen]).toEqual([undefined, 1]);
    expect(await registry.state('m')).toMatchObject({ active: null, canary: null });
  });

  test('where the model decides nothing it is in force after the shadow', async () => {
    const { concluded, seen, registry } = await rig({ mode: 'silent' });
    await concluded();
    expect([...seen]).toEqual([1, 2]);
    expect(await registry.state('m')).toMatchObject({ active: 2 });
  });

  test('a version that somebody puts in force meanwhile stays', async () => {
    const { retrainer, until, registry, logged } = await rig();
    retrainer.start();
    await until(() => retrainer.status.phase === 'canary');
    const other = await addModel(registry, stepModel('ack_ewma_1s', 9, 5, 50));
    await registry.promote('m', other.version);
    await until(() => retrainer.status.last !== undefined);
    expect(retrainer.status.last).toMatchObject({ outcome: 'failed', code: 'E_MODEL_SUPERSEDED' });
    expect(await registry.state('m')).toMatchObject({ active: other.version, canary: null });
    expect(logged.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { code: 'E_MODEL_SUPERSEDED' } }]);
  });

  test('a training that fails leaves what is in force, and is tried again', async () => {
    const { retrainer, until, world, seen } = await rig();
    world.failure = new FairleadError({ code: 'E_MODEL_TRAINING', message: 'it died' });
    retrainer.start();
    await until(() => retrainer.status.counts.failed === 1);
    expect(retrainer.status.last).toMatchObject({ outcome: 'failed', code: 'E_MODEL_TRAINING', reason: 'it died' });
    world.failure = undefined;
    await until(() => retrainer.status.counts.promoted === 1);
    expect([...seen]).toEqual([1, 2]);
  });

  test('too few rows are no failure: it waits for more', async () => {
    const { retrainer, until, world, logged } = await rig();
    world.failure = new FairleadError({ code: 'E_MODEL_ROWS', message: '150 rows leave 90 successful ones' });
    retrainer.start();
    await until(() => retrainer.status.counts.tooFewRows === 1);
    const { last, counts } = retrainer.status;
    expect(last).toMatchObject({ outcome: 'too-few-rows', code: 'E_MODEL_ROWS', cause: 'schedule' });
    expect(counts).toMatchObject({ trainings: 1, failed: 0, refused: 0 });
    expect(logged.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
    world.failure = undefined;
    await until(() => retrainer.status.counts.promoted === 1);
  });

  test('what ends in the middle of a rollout leaves the one in force, and no trace after the next start', async () => {
    const { retrainer, until, registry, host, parts, scoring, seen } = await rig();
    retrainer.start();
    await until(() => seen.has(2));
    await retrainer.close();
    expect(scoring()).toBe(1);
    expect(await registry.state('m')).toEqual({ active: 1, previous: null, canary: null, shadow: null });
    // As a crash would have left it.
    await registry.trial('m', 'canary', 2);
    const next = new Retrainer(parts);
    next.start();
    await eventually(async () => (await registry.state('m')).canary === null);
    await next.close();
    expect(host.status.trial).toBeUndefined();
  });
});
