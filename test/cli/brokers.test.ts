import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AUTH_CODES } from '../../src/cli/failure.ts';
import { ERROR_CODES } from '../../src/core/error-codes.ts';
import { brokerUrl } from '../setup/brokers.ts';
import { eventually } from '../setup/eventually.ts';
import { type Ended, fairlead, temporaryFolder } from './command.ts';
import { subscribe } from './subscriber.ts';

const id = randomUUID().slice(0, 8);

/** Runs a command with the targets given as YAML lines over three brokers, two of which do not let anyone in. */
function withTargets(targets: readonly string[], args: readonly string[], input?: string): Promise<Ended> {
  const file = join(temporaryFolder(), 'gateway.yaml');
  const refused = new URL(brokerUrl('RABBITMQ'));
  refused.username = 'nobody';
  refused.password = 'wrong-secret';
  const lines = [
    'version: 1',
    'brokers:',
    `  plant: { type: mqtt, url: '${brokerUrl('MQTT')}' }`,
    `  nowhere: { type: mqtt, url: 'mqtt://127.0.0.1:9' }`,
    `  closed: { type: rabbitmq, url: '${refused}' }`,
    'sources: {}',
    'targets:',
    ...targets.map((target) => `  ${target}`),
    'routes: []',
  ];
  writeFileSync(file, lines.join('\n'));
  return fairlead([...args, '-c', file], input === undefined ? {} : { input });
}

const GOOD = `good: { broker: plant, topic: 'cli/${id}/{type}', encoding: raw }`;
const DOWN = 'down: { broker: nowhere, topic: x }';
const SHUT = 'shut: { broker: closed, queue: x }';

test('check: 0 where all would work', async () => {
  const { code, stdout } = await withTargets([GOOD], ['check']);
  expect(stdout).toMatch(/^✔ +target good +plant \(mqtt\) +connect to mqtt:/m);
  expect(code).toBe(0);
});

test('check: 6 where one cannot be reached, with what is wrong', async () => {
  const { code, stdout, stderr } = await withTargets([GOOD, DOWN], ['check', '-o', 'json']);
  const lines = JSON.parse(stdout) as { name: string; ok: boolean; code?: string }[];
  expect(lines).toContainEqual(expect.objectContaining({ name: 'good', ok: true }));
  expect(lines).toContainEqual(expect.objectContaining({ name: 'down', ok: false, code: 'E_MQTT_CONNECTION' }));
  expect(stderr).toMatch(/1 of \d checks failed/);
  expect(code).toBe(6);
});

test('check: 7 where the credentials are refused, without showing them', async () => {
  const { code, stdout, stderr } = await withTargets([SHUT], ['check']);
  expect(stdout).toMatch(/^✘ +target shut +closed \(rabbitmq\) .*E_RABBITMQ_CREDENTIALS/m);
  expect(stdout + stderr).not.toContain('wrong-secret');
  expect(code).toBe(7);
});

test('publish: events arrive and their ids are printed', async () => {
  const arrived = await subscribe(brokerUrl('MQTT'), `cli/${id}`);
  const three = await withTargets([GOOD], ['publish', '--target', 'good', '--data', '-', '--count', '3'], '{"n":1}');
  expect(three.stdout.trim().split('\n')).toHaveLength(3);
  expect(three.stderr).toMatch(/3 of 3 confirmed by good \(mqtt\)/);
  expect(three.code).toBe(0);
  const place = [
    'publish',
    '--broker',
    'plant',
    '--at',
    `topic=cli/${id}/place`,
    '--data',
    'hello',
    '--ext',
    'tenant=acme',
  ];
  expect((await withTargets([GOOD], place)).code).toBe(0);
  await eventually(() => expect(arrived).toHaveLength(4));
  expect(arrived.slice(0, 3)).toEqual(['{"n":1}', '{"n":1}', '{"n":1}']);
  expect(JSON.parse(arrived[3] as string)).toMatchObject({ tenant: 'acme', data: 'hello', source: '/fairlead/cli' });
});

test('publish: not confirmed is not success', async () => {
  const down = await withTargets([DOWN], ['publish', '--target', 'down', '--timeout', '1s']);
  expect(down.stderr).toMatch(/0 of 1 confirmed by down .*\nE_MQTT_CONNECTION: /);
  expect(down).toMatchObject({ code: 6, stdout: '' });
  expect((await withTargets([SHUT], ['publish', '--target', 'shut'])).code).toBe(7);
  const usage = await withTargets([GOOD], ['publish', '--target', 'goood']);
  expect(usage.stderr).toMatch(/there is no target "goood"; there are: good/);
  expect(usage.code).toBe(2);
  const field = await withTargets([GOOD], ['publish', '--broker', 'plant', '--at', 'topc=x']);
  expect(field.stderr).toMatch(/--at/);
  expect(field.code).toBe(2);
});

test('the codes that mean refused credentials exist', () => {
  expect([...AUTH_CODES].filter((code) => ERROR_CODES[code] === undefined)).toEqual([]);
});
