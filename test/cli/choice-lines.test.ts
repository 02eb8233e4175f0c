import { expect, test } from 'vitest';
import { ChoiceLines } from '../../src/cli/choice-lines.ts';
import { CandidateCounters } from '../../src/core/counters.ts';
import type { ChoiceStatus } from '../../src/status.ts';

function status(chosen: readonly number[], fallback: number): ChoiceStatus {
  return {
    name: 'any',
    by: 'predictive',
    depth: 0,
    bytes: 0,
    full: false,
    decisions: { rule: 0, analytic: 0, model: 0, lease: 0, fallback },
    targets: chosen.map((count, at) => ({
      target: `t${at}`,
      inFlight: at,
      counters: Object.assign(new CandidateCounters(), { chosen: count }),
    })),
  };
}

test('shares are those since the last line', () => {
  const lines = new ChoiceLines();
  expect(lines.next({ choices: [status([0, 0], 0)], models: [] })).toEqual([
    '◆ any by predictive: t0 –, t1 – (1 under way)',
  ]);
  lines.next({ choices: [status([90, 10], 0)], models: [] });
  expect(lines.next({ choices: [status([100, 40], 3)], models: [] })).toEqual([
    '◆ any by predictive: t0 25 %, t1 75 % (1 under way); 3 by fallback',
  ]);
});

test('a model that is not loaded says why', () => {
  const models = [{ name: 'm', lastError: { code: 'E_MODEL_PIN', message: 'another file' } }];
  expect(new ChoiceLines().next({ choices: [], models })).toEqual([
    '✘ model m is not loaded: E_MODEL_PIN: another file',
  ]);
});

test('what is learned is told while it goes on', () => {
  const counts = { drifts: 1, trainings: 1, refused: 0, promoted: 0, rolledBack: 0, tooFewRows: 0, failed: 0 };
  const model = (phase: 'idle' | 'training' | 'shadow' | 'canary' | 'watched', share = 0, trial?: number) => ({
    name: 'm',
    version: 1,
    trial,
    retraining: { phase, share, counts },
  });
  const models = [
    model('idle'),
    model('training'),
    model('shadow', 0, 2),
    model('canary', 0.25, 2),
    model('watched', 1, 2),
  ];
  expect(new ChoiceLines().next({ choices: [], models })).toEqual([
    '◇ model m: a new version is trained',
    '◇ model m: version 2 in shadow',
    '◇ model m: version 2 scores 25 % of the time',
    '◇ model m: promoted, and watched',
  ]);
});
