import { expect, onTestFinished, test } from 'vitest';
import type { Scorer } from '../../src/core/scorer.ts';
import type { Selector } from '../../src/core/selector.ts';
import { GATEWAY_SCHEMA } from '../../src/models/contract.ts';
import { FEATURE_COUNT } from '../../src/models/features.ts';
import { loadModel } from '../../src/models/scorer.ts';
import { scoreRows, train } from '../../src/models/training/train.ts';
import { type Bench, bench, run } from '../policies/selectors/driver.ts';
import { stepModel } from './models-of-a-test.ts';

const TARGETS = [
  { name: 'log', protocol: 'kafka' },
  { name: 'queue', protocol: 'rabbitmq' },
];
const EVENT = { bytes: 1_000 };

async function loaded(file: Buffer): Promise<Scorer> {
  const scorer = await loadModel(file, { schema: GATEWAY_SCHEMA });
  onTestFinished(() => scorer.close());
  return scorer;
}

/** Ticks, each with the turns in which the runtime answers; the first may still wait for an answer of before. */
async function scored(made: Bench, ticks = 2): Promise<void> {
  for (let i = 0; i < ticks; i += 1) {
    made.now += 20;
    made.selector.tick();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

function counts(selector: Selector, events = 400): { by: Set<string>; shares: number[] } {
  const by = new Set<string>();
  const chosen = [0, 0];
  for (let i = 0; i < events; i += 1) {
    const decision = selector.choose(EVENT);
    by.add(decision.by);
    chosen[decision.target] = (chosen[decision.target] ?? 0) + 1;
  }
  return { by, shares: chosen.map((count) => count / events) };
}

test('another model changes decisions', async () => {
  const likesQueue = await loaded(stepModel('is_kafka', 0.5, 10, 500));
  const likesLog = await loaded(stepModel('is_kafka', 0.5, 500, 10));
  const made = bench('predictive', { targets: TARGETS }, { scorer: likesQueue });
  run(made, { ms: 500, behave: () => ({ latencyMs: 20 }) });
  await scored(made);
  const before = counts(made.selector);
  expect([...before.by]).toEqual(['model']);
  expect(before.shares[1]).toBeGreaterThan(0.95);
  expect(made.selector.explain(EVENT)).toMatchObject({ by: 'model', model: likesQueue.sha, fallback: undefined });

  made.selector.use(likesLog);
  await scored(made);
  const after = counts(made.selector);
  expect([...after.by]).toEqual(['model']);
  expect(after.shares[0]).toBeGreaterThan(0.95);
  expect(made.selector.explain(EVENT)).toMatchObject({ model: likesLog.sha });

  made.selector.use(undefined);
  await scored(made);
  expect([...counts(made.selector).by]).toEqual(['fallback']);
});

test('a model whose answers go bad is out, with the reason, until it answers well again', async () => {
  const good = await loaded(stepModel('is_kafka', 0.5, 10, 500));
  let spoil: ((scores: Float32Array) => Float32Array) | undefined;
  const scorer: Scorer = {
    sha: good.sha,
    schemaHash: good.schemaHash,
    score: async (features, rows) => {
      const scores = await good.score(features, rows);
      return spoil === undefined ? scores : spoil(scores);
    },
  };
  const made = bench('predictive', { targets: TARGETS }, { scorer });
  await scored(made);
  expect([...counts(made.selector).by]).toEqual(['model']);
  for (const [change, why] of [
    [(scores) => scores.fill(Number.NaN, 3, 4), 'a score of the model is NaN (log_ms_mean)'],
    [(scores) => scores.fill(99, 1, 2), 'a score of the model is 99 (log_ms_q95)'],
    [(scores) => scores.fill(1.5, 2, 3), 'a score of the model is 1.5 (p_fail)'],
    [(scores) => scores.subarray(3), /^\d+ scores for \d+ rows$/],
    [
      () => {
        throw new Error('the runtime is broken');
      },
      'the runtime is broken',
    ],
  ] as [(scores: Float32Array) => Float32Array, string | RegExp][]) {
    spoil = change;
    await scored(made);
    const { by, shares } = counts(made.selector);
    expect([...by]).toEqual(['fallback']);
    expect(shares[0]).toBeGreaterThan(0.2);
    expect(made.selector.explain(EVENT)).toMatchObject({ by: 'fallback', policy: 'adaptive' });
    expect(made.selector.explain(EVENT).fallback).toMatch(why);
    spoil = undefined;
    await scored(made);
    expect([...counts(made.selector).by]).toEqual(['model']);
  }
});

test('scores of a runtime that answers no more are used for five ticks', async () => {
  const good = await loaded(stepModel('is_kafka', 0.5, 10, 500));
  let hung = false;
  const scorer: Scorer = {
    score: (features, rows) => (hung ? new Promise(() => undefined) : good.score(features, rows)),
  };
  const made = bench('predictive', { targets: TARGETS }, { scorer });
  await scored(made);
  hung = true;
  await scored(made, 5);
  expect([...counts(made.selector).by]).toEqual(['model']);
  await scored(made, 1);
  expect([...counts(made.selector).by]).toEqual(['fallback']);
  expect(made.selector.explain(EVENT).fallback).toBe('scores are stale');
});

test('a model of other features is refused by the selector, too', async () => {
  const scorer: Scorer = { schemaHash: 'other', score: (_, rows) => new Float32Array(rows * 3) };
  const made = bench('predictive', { targets: TARGETS }, { scorer });
  await scored(made);
  expect([...counts(made.selector).by]).toEqual(['fallback']);
  expect(made.selector.explain(EVENT).fallback).toBe('the model was made for other features');
});

test('what a model was trained to say of recorded rows is what the selector is told', async () => {
  // features and outcomes as a run records them: by target, as of the last tick before the send
  const made = bench('adaptive', { targets: TARGETS, telemetry: true });
  const rows: { features: Float32Array; ms: number; target: number; ts: number }[] = [];
  const latency = (target: number, now: number): number => (target === 0 ? 8 : 15) + 10 * (1 + Math.sin(now / 700));
  run(made, {
    ms: 6_000,
    behave: (target, now) => ({ latencyMs: latency(target, now) }),
    onChosen: (target, now) => {
      const snapshot = made.selector.snapshot();
      if (snapshot === undefined) return;
      const from = (target * snapshot.classes + made.selector.sizeClass(EVENT.bytes)) * snapshot.columns;
      const features = snapshot.features.slice(from, from + snapshot.columns);
      rows.push({ features, ms: latency(target, now), target, ts: now });
    },
  });
  const trained = train(
    {
      rows: rows.length,
      columns: FEATURE_COUNT,
      features: Float32Array.from(rows.flatMap(({ features }) => [...features])),
      logMs: Float32Array.from(rows, ({ ms }) => Math.log(ms)),
      failed: new Float32Array(rows.length),
      weight: new Float32Array(rows.length).fill(1),
      target: Int32Array.from(rows, ({ target }) => target),
      targets: TARGETS.map(({ name }) => name),
      at: Float64Array.from(rows, ({ ts }) => ts),
      known: Float64Array.from(rows, ({ ts, ms }) => ts + ms),
    },
    GATEWAY_SCHEMA,
    { gapMs: 100 },
  );
  const serving = bench('predictive', { targets: TARGETS }, { scorer: await loaded(trained.onnx) });
  run(serving, { ms: 3_000, behave: (target, now) => ({ latencyMs: latency(target, now) }) });
  await scored(serving);
  const {
    features,
    scores,
    rows: served,
    columns,
  } = serving.selector.snapshot() as NonNullable<ReturnType<Selector['snapshot']>>;
  const expected = scoreRows(trained.model, features.slice(0, served * columns), columns);
  for (const [i, score] of expected.entries()) expect(Math.abs((scores?.[i] ?? Number.NaN) - score)).toBeLessThan(1e-5);
  // the same world: what it predicts is about what comes
  for (const target of [0, 1]) {
    const row = target * (served / TARGETS.length) * 3;
    expect(Math.exp(scores?.[row] as number)).toBeGreaterThan(5);
    expect(Math.exp(scores?.[row] as number)).toBeLessThan(40);
  }
});
