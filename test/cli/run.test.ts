import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { brokerUrl } from '../setup/brokers.ts';
import { eventually } from '../setup/eventually.ts';
import { Command, fairlead, temporaryFolder } from './command.ts';

/** A configuration from one MQTT topic to another, in a folder of its own. */
function mqttPair(id: string): { file: string; folder: string; env: Record<string, string> } {
  const folder = temporaryFolder();
  const file = join(folder, 'gateway.yaml');
  writeFileSync(
    file,
    `version: 1
name: run-${id}
brokers: { plant: { type: mqtt, url: '${brokerUrl('MQTT')}' } }
sources: { in: { broker: plant, topic: in/${id}, as: { type: test.reading, source: /test } } }
targets: { out: { broker: plant, topic: out/${id}, encoding: raw } }
routes: [{ name: all, from: [in], to: [out], delivery: { deadLetter: { store: true } } }]
store: { path: /nowhere } # the environment says where
drain: { deadline: 20s }
`,
  );
  return { file, folder, env: { HOSTNAME: `host-${id}`, FAIRLEAD_STORE: join(folder, 'store') } };
}

test('SIGTERM drains and exits with 0; a restart goes on with what is left', async () => {
  const id = randomUUID().slice(0, 8);
  const { file, folder, env } = mqttPair(id);
  const client = await connectAsync(brokerUrl('MQTT'));
  onTestFinished(() => client.endAsync(true));
  const arrived = new Set<string>();
  client.on('message', (_topic, payload) => arrived.add(payload.toString()));
  await client.subscribeAsync(`out/${id}`, { qos: 1 });

  const heartbeat = join(folder, 'alive');
  const first = new Command(['run', '-c', file], { env: { ...env, FAIRLEAD_HEARTBEAT: heartbeat } });
  await first.until(/source is up/);
  await first.until(/target is up/);
  expect(existsSync(heartbeat)).toBe(true);
  const published = Array.from({ length: 2_000 }, (_, n) => `${n}`);
  const publishing = Promise.all(published.map((n) => client.publishAsync(`in/${id}`, n, { qos: 1 })));
  await eventually(() => arrived.size > 0);
  first.signal('SIGTERM');
  const { code, stderr, stdout } = await first.end();
  expect(stderr).toMatch(/"msg":"draining"/);
  expect(stderr).toMatch(/"code":0,"msg":"stopped"/);
  expect(stderr).not.toMatch(/deadline reached/);
  expect(stdout).toBe('');
  expect(code).toBe(0);
  expect(existsSync(heartbeat)).toBe(false);
  await publishing;

  const second = new Command(['run', '-c', file], { env: { ...env, FAIRLEAD_LOG_LEVEL: 'warn' } });
  await eventually(() => expect(arrived.size).toBe(published.length), { timeoutMs: 30_000 });
  second.signal('SIGINT');
  expect(await second.end()).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('a store in use by another gateway is refused', async () => {
  const { file, env } = mqttPair(randomUUID().slice(0, 8));
  const first = new Command(['run', '-c', file], { env });
  await first.until(/source is up/);
  const { code, stderr } = await fairlead(['run', '-c', file], { env });
  expect(stderr).toMatch(/^E_STORE_LOCKED: .* is in use by pid=/m);
  expect(code).toBe(1);
  first.signal('SIGTERM');
  expect((await first.end()).code).toBe(0);
});
