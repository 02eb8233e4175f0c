import { describe, expect, test } from 'vitest';
import type { ChoiceConfig, GatewayConfig } from '../../src/config/types.ts';
import { lines, load, memoryConfig } from './load.ts';

const ENTRY = 'out: { broker: mem, topic: out }';
const TARGETS =
  'out: { broker: mem, topic: out, labels: { region: eu } }\n  far: { broker: mem, topic: far, labels: { region: us } }';

/** A configuration whose only route goes to the choice `any`. */
function text(choice: string, over: Readonly<Record<string, string>> = {}): string {
  const whole = memoryConfig({
    [ENTRY]: TARGETS,
    'routes:': `choices:\n  any: ${choice}\nroutes:`,
    'to: [out]': 'to: [any]',
  });
  return Object.entries(over).reduce((changed, [from, to]) => {
    expect(changed).toContain(from);
    return changed.replace(from, to);
  }, whole);
}

function config(source: string, env: Readonly<Record<string, string>> = {}): GatewayConfig {
  const result = load(source, { env });
  expect(lines(result)).toEqual([]);
  return result.config as GatewayConfig;
}

const only = (source: string, env?: Readonly<Record<string, string>>): ChoiceConfig =>
  config(source, env).choices[0] as ChoiceConfig;

const MODELS = { 'unmatched:': 'models: { latency: { path: ./latency.onnx } }\nunmatched:' };

describe('choices', () => {
  test('defaults', () => {
    expect(only(text('{ targets: [out, far], by: adaptive }'))).toEqual({
      name: 'any',
      targets: [{ target: 'out' }, { target: 'far' }],
      by: 'adaptive',
      require: {},
      sloMs: 100,
      weights: {},
      explore: 0.005,
      mode: 'off',
      canary: 0.05,
      onUnknown: 'reselect',
    });
    expect(config(memoryConfig())).toMatchObject({ choices: [], models: [] });
  });

  test('everything said', () => {
    const said =
      "{ targets: [{ target: out }, far], by: predictive, require: { region: ['{dataregion}', eu] }, slo: 50ms, weights: { cost: 0.5 }, explore: 0.01, mode: canary, canary: 2.5%, onUnknown: wait }";
    expect(only(text(said, MODELS))).toEqual({
      name: 'any',
      targets: [{ target: 'out' }, { target: 'far' }],
      by: 'predictive',
      require: { region: ['{dataregion}', 'eu'] },
      sloMs: 50,
      weights: { cost: 0.5 },
      explore: 0.01,
      model: 'latency',
      mode: 'canary',
      canary: 0.025,
      onUnknown: 'wait',
    });
  });

  test('weights of targets, and values out of the environment', () => {
    const weighted = `{ targets: [{ target: out, weight: '\${W}' }, far], by: weighted }`;
    expect(only(text(weighted), { W: '3' }).targets).toEqual([{ target: 'out', weight: 3 }, { target: 'far' }]);
    const one = only(text(`{ targets: [out, far], by: adaptive, explore: '\${E}' }`), { E: '0.02' });
    expect(one.explore).toBe(0.02);
  });

  test('the values of require are text', () => {
    const tiers = { 'region: eu': 'region: eu, tier: 1', 'region: us': 'region: us, tier: 1, fast: true' };
    const changed = text('{ targets: [out, far], by: adaptive, require: { tier: 1 } }', tiers);
    expect(only(changed).require).toEqual({ tier: ['1'] });
  });

  test('a model is asked only by predictive, and needs no name where it is the only one', () => {
    expect(only(text('{ targets: [out, far], by: predictive }', MODELS))).toMatchObject({
      model: 'latency',
      mode: 'active',
    });
    expect(only(text('{ targets: [out, far], by: predictive, mode: off }'))).not.toHaveProperty('model');
  });

  test('a name is a target or a choice', () => {
    const both = text('{ targets: [out, far], by: priority }', { 'any:': 'out:', 'to: [any]': 'to: [far]' });
    expect(load(both).findings.map(({ code }) => code)).toEqual(['E_CONFIG_DUPLICATE_NAME']);
  });

  test('unmatched events may go to a choice', () => {
    const { unmatched } = config(
      text('{ targets: [out, far], by: priority }', {
        'to: [any]': 'to: [out]\n    sample: 0.5',
        'unmatched: dead-letter': 'unmatched: { to: [any] }',
      }),
    );
    expect(unmatched).toEqual({ to: ['any'] });
  });

  test('a canary is a share between none and all', () => {
    const canary = (share: string): string[] =>
      load(text(`{ targets: [out, far], by: predictive, mode: canary, canary: ${share} }`, MODELS)).findings.map(
        ({ code }) => code,
      );
    for (const good of ['5%', '0.5%', '0.3', '99.9%']) expect(canary(good)).toEqual([]);
    for (const bad of ['0%', '100%', '1', '0', '-1', 'half', '5 %', '"0.3"', '.5%'])
      expect(canary(bad)).toEqual(['E_CONFIG_VALUE']);
  });

  test('echo shows a choice as it was understood', () => {
    const { echo } = load(text('{ targets: [out, far], by: adaptive, slo: 1500ms }'));
    expect(echo).toMatchObject({ choices: { any: { slo: '1500ms', onUnknown: 'reselect', require: {} } } });
  });
});

describe('targets of choices', () => {
  const target = (fields: string): GatewayConfig['targets'][number] | undefined =>
    config(memoryConfig({ 'topic: out': `topic: out, ${fields}` })).targets[0];

  test('cost, capacity and floor', () => {
    const said = target('cost: 0.5, capacity: { perSecond: 100, concurrent: 8 }, floor: 20ms');
    expect(said).toMatchObject({ cost: 0.5, capacity: { perSecond: 100, concurrent: 8 }, floorMs: 20 });
    expect(said?.adapter).not.toHaveProperty('floor');
    const silent = target('labels: { region: eu }');
    for (const field of ['cost', 'capacity', 'floorMs']) expect(silent).not.toHaveProperty(field);
  });

  test('a label is taken for the cost where none is said', () => {
    expect(target('labels: { cost: 0.4 }')).toMatchObject({ cost: 0.4 });
    expect(target('cost: 0, labels: { cost: 0.4 }')).toMatchObject({ cost: 0 });
    expect(target('labels: { cost: high }')).not.toHaveProperty('cost');
  });
});

test('models', () => {
  const sha256 = 'ab'.repeat(32);
  const { models } = config(
    text('{ targets: [out, far], by: predictive, model: day }', {
      'routes:': `  night: { targets: [far, out], by: predictive, model: night }\nroutes:`,
      'unmatched: dead-letter': `telemetry: {}
models:
  day: { path: ./day.onnx, sha256: ${sha256} }
  night: { registry: ./models, retrain: { every: 30m }, gate: { scenarios: 1 } }
unmatched: { to: [night] }`,
    }),
  );
  expect(models).toEqual([
    { name: 'day', path: './day.onnx', sha256 },
    { name: 'night', registry: './models', retrain: { everyMs: 1_800_000, minRows: 10_000 }, gate: { scenarios: 1 } },
  ]);
});
