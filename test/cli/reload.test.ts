import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { brokerUrl } from '../setup/brokers.ts';
import { eventually } from '../setup/eventually.ts';
import { Command, temporaryFolder } from './command.ts';

interface Pair {
  readonly id: string;
  readonly env: Record<string, string>;
  readonly client: MqttClient;
  /** What came out, as `topic payload`, without the id of the test. */
  readonly arrived: string[];
  /** A configuration from `in` to these topics. */
  readonly text: (topics: readonly string[]) => string;
}

async function mqttPair(folder: string): Promise<Pair> {
  const id = randomUUID().slice(0, 8);
  const client = await connectAsync(brokerUrl('MQTT'));
  onTestFinished(() => client.endAsync(true));
  const arrived: string[] = [];
  client.on('message', (topic, payload) => arrived.push(`${topic.slice(id.length + 1)} ${payload}`));
  await client.subscribeAsync(`${id}/out/#`, { qos: 1 });
  const text = (topics: readonly string[]): string =>
    `version: 1
name: reload-${id}
brokers: { plant: { type: mqtt, url: '${brokerUrl('MQTT')}' } }
sources: { in: { broker: plant, topic: ${id}/in, as: { type: test.reading, source: /test } } }
targets: { out: { broker: plant, topic: '${id}/out/${topics[0]}', encoding: raw } }
routes:
${topics.map((_, n) => `  - { name: r-${n}, from: [in], to: [out], delivery: { deadLetter: { store: true } } }\n`).join('')}`;
  return { id, env: { HOSTNAME: `host-${id}`, FAIRLEAD_STORE: join(folder, 'store') }, client, arrived, text };
}

async function publish({ client, id }: Pair, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, n) => String(from + n));
  await Promise.all(numbers.map((n) => client.publishAsync(`${id}/in`, n, { qos: 1 })));
}

const range = (topic: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `out/${topic} ${from + n}`);

test('SIGHUP reloads; a file that does not hold changes nothing and is told with its place', async () => {
  const folder = temporaryFolder();
  const pair = await mqttPair(folder);
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, pair.text(['a']));
  const command = new Command(['run', '--no-watch', '-c', file], { env: pair.env });
  await command.until(/source is up/);
  await command.until(/target is up/);
  await publish(pair, 0, 50);
  writeFileSync(file, pair.text(['b']));
  command.signal('SIGHUP');
  await command.until(/"changed":\["targets.out"\],"restarted":\["targets.out"\].*"configuration reloaded"/);
  await publish(pair, 50, 100);

  writeFileSync(file, pair.text(['c']).replace('to: [out]', 'to: [uot]'));
  command.signal('SIGHUP');
  await command.until(/gateway\.yaml:7:35 error E_CONFIG_REFERENCE: .* did you mean \\"out\\"/);
  await command.until(/not reloaded, the configuration before goes on/);
  await publish(pair, 100, 150);

  writeFileSync(file, pair.text(['b']).replace('name: reload', 'name: other'));
  command.signal('SIGHUP');
  await command.until(/E_RELOAD_RESTART.*only a restart can change name/);
  await publish(pair, 150, 200);

  const expected = [...range('a', 0, 50), ...range('b', 50, 200)];
  await eventually(() => expect(pair.arrived).toEqual(expected));
  command.signal('SIGTERM');
  expect((await command.end()).code).toBe(0);
});

test('the swap of a ConfigMap, and of a file that the configuration refers to, reload', async () => {
  const folder = temporaryFolder();
  const pair = await mqttPair(folder);
  const volume = join(folder, 'config');
  mkdirSync(volume);
  let version = 0;
  const swap = (text: string): void => {
    version += 1;
    mkdirSync(join(volume, `..v${version}`));
    writeFileSync(join(volume, `..v${version}`, 'gateway.yaml'), text);
    symlinkSync(`..v${version}`, join(volume, '..data_tmp'));
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
  };
  swap(pair.text(['a']));
  symlinkSync('..data/gateway.yaml', join(volume, 'gateway.yaml'));
  const command = new Command(['run', '-c', join(volume, 'gateway.yaml')], { env: pair.env });
  await command.until(/source is up/);
  await command.until(/target is up/);
  await publish(pair, 0, 20);

  swap(pair.text(['b']));
  await command.until(/"cause":"file changed","msg":"reloading the configuration"/);
  await command.until(/configuration reloaded/);
  await publish(pair, 20, 40);

  const place = join(folder, 'place');
  writeFileSync(place, 'c\n');
  swap(pair.text([`\${file:${place}}`]));
  await eventually(() => expect(command.stderr.split('configuration reloaded').length - 1).toBe(2));
  await publish(pair, 40, 60);
  writeFileSync(place, 'd\n');
  await eventually(() => expect(command.stderr.split('configuration reloaded').length - 1).toBe(3));
  await publish(pair, 60, 80);

  const expected = [...range('a', 0, 20), ...range('b', 20, 40), ...range('c', 40, 60), ...range('d', 60, 80)];
  await eventually(() => expect(pair.arrived).toEqual(expected));
  command.signal('SIGTERM');
  expect((await command.end()).code).toBe(0);
});

test('the level of the log follows the file, unless the command says otherwise', async () => {
  const folder = temporaryFolder();
  const pair = await mqttPair(folder);
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, `${pair.text(['a'])}log: { level: error }\n`);
  const command = new Command(['run', '-c', file], { env: pair.env });
  await publish(pair, 0, 1);
  await eventually(async () => {
    await publish(pair, 1, 2); // until it has subscribed
    return pair.arrived.length > 0;
  });
  expect(command.stderr).toBe('');
  writeFileSync(file, `${pair.text(['a', 'a'])}log: { level: info }\n`);
  let last = 2;
  await eventually(async () => {
    last += 1;
    const copies = (): number => pair.arrived.filter((one) => one.endsWith(` ${last}`)).length;
    await publish(pair, last, last + 1);
    await eventually(() => copies() > 0);
    return copies() === 2; // by both routes
  });
  writeFileSync(file, `${pair.text(['a'])}log: { level: info }\n`);
  await command.until(/"removed":\["routes.r-1"\].*configuration reloaded/);
  command.signal('SIGTERM');
  expect((await command.end()).code).toBe(0);
});
