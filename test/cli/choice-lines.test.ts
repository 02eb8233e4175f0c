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
