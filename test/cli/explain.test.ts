import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { NextDecision } from '../../src/next-decision.ts';
import { stepModel } from '../models/models-of-a-test.ts';
import { recordWorld } from '../models/recorded-world.ts';
import { fairlead, temporaryFolder } from './command.ts';

const CONFIG = `version: 1
brokers:
  eu: { type: kafka, brokers: ['nowhere:9092'] }
  jobs: { type: rabbitmq, url: amqp://nowhere }
sources:
  orders: { broker: eu, topics: [orders], startFrom: latest }
  work: { broker: jobs, queue: work }
targets:
  history: { broker: eu, topic: 'history-{region}', key: '{subject}' }
  billing: { broker: jobs, exchange: billing, routingKey: '{type}' }
routes:
  - { name: large, from: [orders], when: { filters: [{ sql: "type = 'order' AND amount > 100" }] }, to: [billing] }
  - { name: all, from: [orders], to: [history, billing], state: paused }
  - { name: later, from: [orders], to: [history], active: { from: 2026-08-01T00:00:00Z, to: 2026-09-01T00:00:00Z } }
unmatched: drop
`;
const EVENT = { specversion: '1.0', id: '7', source: '/shop', type: 'order', region: 'eu', amount: 5, data: { a: 1 } };

function folder(): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'fairlead.yaml'), CONFIG);
  writeFileSync(join(cwd, 'event.json'), JSON.stringify(EVENT));
  return cwd;
}

test('explain: every route with its first condition that failed, and the legs with their addresses', async () => {
  const cwd = folder();
  const { code, stdout, stderr } = await fairlead(['explain', 'event.json', '--now', '2026-07-01T00:00:00Z'], { cwd });
  expect(stderr).toBe('');
  expect(stdout).toBe(`from orders: order 7 of /shop
  ·  large  when.filters[0].sql  amount > 100 is false (amount = 5)
  ‖  all                         matches; paused, so its legs are held
  ·  later  active.from          its window opens at 2026-08-01T00:00:00Z
legs
  all  → history (kafka)     topic: history-eu, key: none, an attribute is missing  held
  all  → billing (rabbitmq)  exchange: billing, routingKey: order                   held

from work: order 7 of /shop
  ·  large  from  the route does not read work
  ·  all    from  the route does not read work
  ·  later  from  the route does not read work
no route matches: dropped and counted
`);
  expect(code).toBe(0);
});

test('explain: stdin, one source, JSON and YAML say the same', async () => {
  const cwd = folder();
  const ask = (...args: string[]) =>
    fairlead(['explain', '-', '--source', 'orders', '--now', '2026-08-01T00:00:00Z', ...args], {
      cwd,
      input: JSON.stringify(EVENT),
    });
  const json = JSON.parse((await ask('-o', 'json')).stdout);
  expect(json).toMatchObject([
    {
      source: 'orders',
      event: { id: '7', source: '/shop', type: 'order' },
      routes: [
        { route: 'large', matched: false, refusal: { code: 'false', at: 'when.filters[0].sql', actual: 'amount = 5' } },
        { route: 'all', matched: true, paused: true },
        { route: 'later', matched: true },
      ],
      legs: [
        { route: 'all', target: 'history', kind: 'kafka', held: true, address: { topic: 'history-eu', key: null } },
        { route: 'all', target: 'billing', held: true },
        { route: 'later', target: 'history' },
      ],
    },
  ]);
  expect(parse((await ask('-o', 'yaml')).stdout)).toEqual(json);
});

const CHOICE = `version: 1
brokers:
  eu: { type: kafka, brokers: ['nowhere:9092'] }
sources:
  orders: { broker: eu, topics: [orders], startFrom: latest }
targets:
  history: { broker: eu, topic: 'history-{region}', labels: { region: eu } }
  abroad: { broker: eu, topic: abroad, labels: { region: us } }
choices:
  archive: { targets: [abroad, history], by: adaptive, require: { region: '{area:-eu}' } }
routes:
  - { name: set, from: [orders], when: { filters: [{ exact: { type: set } }] }, to: [archive], transform: { set: { area: us } } }
unmatched: { to: [archive] }
`;

test('explain: of a choice, which targets the event as it is sent may go to, and why not to others', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'fairlead.yaml'), CHOICE);
  const ask = async (event: object, ...args: string[]): Promise<string> =>
    (await fairlead(['explain', '-', ...args], { cwd, input: JSON.stringify({ ...EVENT, ...event }) })).stdout;
  const legs = (text: string): string => text.slice(text.indexOf('legs'));
  const eligible = (text: string): string => legs(text).replace(/^choice .*\n(?: {2}.*\n)*/m, '');
  expect(eligible(await ask({}))).toBe(`legs
  unmatched  → archive (choice by adaptive)
               · abroad (kafka)              require.region: region is "us", not "eu"
               ✔ history (kafka)             topic: history-eu
no route matches: sent to the targets of unmatched
`);
  expect(eligible(await ask({ type: 'set', area: 'mars' }))).toBe(`legs
  set  → archive (choice by adaptive)                                            transformed
         ✔ abroad (kafka)              topic: abroad
         · history (kafka)             require.region: region is "eu", not "us"
`);
  expect(legs(await ask({ area: 'mars' }))).toContain(
    'dead-lettered: E_CHOICE_NOT_ELIGIBLE: no target of the choice "archive" meets what it requires for this event',
  );
  const [{ legs: planned }] = JSON.parse(await ask({}, '-o', 'json'));
  expect(planned).toEqual([
    {
      decision: expect.objectContaining({ chosen: 'history', by: 'analytic' }),
      route: 'unmatched',
      target: 'archive',
      kind: 'choice',
      by: 'adaptive',
      candidates: [
        {
          target: 'abroad',
          eligible: false,
          kind: 'kafka',
          refusal: {
            code: 'differs',
            at: 'require.region',
            message: 'region is "us", not "eu"',
            expected: '"eu"',
            actual: 'us',
          },
        },
        { target: 'history', eligible: true, kind: 'kafka', address: { topic: 'history-eu' } },
      ],
    },
  ]);
});

const REGIONS = `version: 1
brokers:
  one: { type: kafka, brokers: ['nowhere:9092'] }
  two: { type: rabbitmq, url: amqp://nowhere }
  three: { type: http }
sources:
  orders: { broker: one, topics: [orders], startFrom: latest }
targets:
  log: { broker: one, topic: log, cost: 0.1 }
  queue: { broker: two, queue: queue }
  hook: { broker: three, url: 'http://nowhere/' }
choices:
  regions: { targets: [log, queue, hook], by: BY }
routes:
  - { name: all, from: [orders], to: [regions], delivery: { deadLetter: { store: true } } }
telemetry: { path: ./recorded }
`;

function recordedFolder(by: string, more = ''): { cwd: string; input: string } {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'fairlead.yaml'), REGIONS.replace('BY', by) + more);
  return { cwd, input: JSON.stringify(EVENT) };
}

test('explain: what a choice decides by what was recorded, with scores and their parts', async () => {
  const at = recordedFolder('adaptive');
  const unknown = await fairlead(['explain', '-'], at);
  expect(unknown.stdout).toMatch(/^choice regions: \w+, propensity [\d.]+, by analytic \(adaptive\), no model$/m);
  expect(unknown.stdout).toContain('no decisions of regions are recorded: this is what a gateway does that has just');

  await recordWorld(join(at.cwd, 'recorded'), 3);
  const known = await fairlead(['explain', '-'], at);
  expect(known.stderr).toBe('');
  expect(known.stdout).toMatch(
    /^ {2}as of now, \d+ h after the last of 4\d\d decisions that mesh on one has recorded in /m,
  );
  expect(known.stdout).toMatch(/^ +TARGET +PROPENSITY +SCORE +LATENCY +SLO +FAILURE +COST +CONGESTION +EXPECTS MS /m);
  expect(known.stdout.match(/^ {2}(✔| ) {2}(log|queue|hook) /gm)).toHaveLength(6);
  const all = await fairlead(['explain', '-', '--features'], at);
  expect(all.stdout).toMatch(/^ {2}is_kafka +1 +0 +0$/m);

  const [{ legs }] = JSON.parse((await fairlead(['explain', '-', '-o', 'json'], at)).stdout);
  const { chosen, basis, targets } = legs[0].decision as NextDecision;
  expect(basis).toMatchObject({ gateway: 'mesh', instance: 'one', idle: true, weight: 1 });
  expect(targets.map(({ target }) => target)).toEqual(['log', 'queue', 'hook']);
  expect(targets.reduce((sum, { propensity = 0 }) => sum + propensity, 0)).toBeCloseTo(1, 6);
  for (const { score, parts, propensity, target } of targets) {
    const { latency = 0, slo = 0, failure = 0, cost = 0, congestion = 0 } = parts;
    expect(score).toBeCloseTo(latency + slo + failure + cost + congestion, 6);
    if (target !== chosen) expect(propensity).toBeLessThanOrEqual(0.5);
  }
});

test('explain: a target that was no candidate of the last decision is out', async () => {
  const at = recordedFolder('adaptive');
  await recordWorld(join(at.cwd, 'recorded'), 1);
  const [file] = readdirSync(join(at.cwd, 'recorded')).map((name) => join(at.cwd, 'recorded', name));
  const last = readFileSync(file as string, 'utf8')
    .trimEnd()
    .split('\n')
    .at(-1) as string;
  const next = { ...JSON.parse(last), eligible: ['log', 'hook'], chosen: 'log' };
  appendFileSync(file as string, `${JSON.stringify(next)}\n`);
  const { stdout } = await fairlead(['explain', '-'], at);
  expect(stdout).toMatch(/^ {2}· {2}queue +0 +- /m);
  expect(stdout).toContain(
    '  · queue was no candidate of the last decision: no room, no connection or an open breaker\n',
  );
});

test('explain: telemetry that cannot be read is no reason to tell nothing, unless it was named', async () => {
  const at = recordedFolder('adaptive');
  await recordWorld(join(at.cwd, 'recorded'), 1);
  const [file] = readdirSync(join(at.cwd, 'recorded')).map((name) => join(at.cwd, 'recorded', name));
  rmSync(file as string);
  writeFileSync((file as string).replace(/ndjson$/, 'decisions.parquet'), 'no Parquet');
  const { code, stdout } = await fairlead(['explain', '-'], at);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^choice regions: \w+, propensity [\d.]+, by analytic/m);
  expect(stdout).toMatch(
    /telemetry in \S+parquet cannot be read: .+: this is what a gateway does that has just started/,
  );
  expect(await fairlead(['explain', '-', '--telemetry', 'recorded'], at)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^E_TELEMETRY_READ/),
  });
});

test('explain: a model that is configured, or another one, is asked', async () => {
  const at = recordedFolder('predictive', 'models: { m: { path: ./m.onnx } }\n');
  await recordWorld(join(at.cwd, 'recorded'), 2);
  const decision = async (...args: string[]): Promise<NextDecision> =>
    JSON.parse((await fairlead(['explain', '-', '-o', 'json', ...args], at)).stdout)[0].legs[0].decision;
  const without = await decision();
  expect(without).toMatchObject({
    by: 'fallback',
    policy: 'adaptive',
    fallback: expect.stringMatching(/^E_MODEL_DATA/),
  });
  // The target in Kafka is told from the others by this feature.
  writeFileSync(join(at.cwd, 'm.onnx'), stepModel('is_kafka', 0.5, 5, 500));
  const far = await decision();
  expect(far).toMatchObject({ by: 'model', policy: 'predictive', model: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(far.targets.map(({ scores }) => Math.round(scores?.ms ?? 0))).toEqual([500, 5, 5]);
  expect(far.chosen).not.toBe('log');
  writeFileSync(join(at.cwd, 'other.onnx'), stepModel('is_kafka', 0.5, 500, 5));
  expect((await decision('--model', 'other.onnx')).chosen).toBe('log');
  expect(await fairlead(['explain', '-', '--model', 'none.onnx'], at)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^E_MODEL_DATA/),
  });
});

test('explain: what it cannot work with', async () => {
  const cwd = folder();
  expect(await fairlead(['explain', 'event.json', '--source', 'order'], { cwd })).toMatchObject({
    code: 2,
    stderr: 'there is no source "order": known: orders, work\n',
  });
  expect(await fairlead(['explain', 'none.json'], { cwd })).toMatchObject({
    code: 2,
    stderr: 'cannot read none.json: ENOENT\n',
  });
  expect(await fairlead(['explain', 'event.json', '--now', 'today'], { cwd })).toMatchObject({ code: 2 });
  const broken = await fairlead(['explain', '-'], { cwd, input: '{"specversion":"1.0"}' });
  expect(broken).toMatchObject({ code: 1, stderr: 'E_CE_MISSING: required attributes id, source, type missing\n' });
});
