import { spawn, spawnSync } from 'node:child_process';
import { connectAsync, type MqttClient } from 'mqtt';
import { onTestFinished } from 'vitest';
import { eventually } from '../setup/eventually.ts';

const PROBE = 'is anyone there?';

/**
 * Collects what arrives under `<topic>/#`, as the README says to: with `mosquitto_sub`; where that is not installed, with a
 * client of its own. Resolves once the subscription stands.
 */
export async function subscribe(url: string, topic: string): Promise<readonly string[]> {
  const client = await connectAsync(url, { protocolVersion: 4 });
  onTestFinished(() => client.endAsync(true));
  const lines: string[] = [];
  if (spawnSync('mosquitto_sub', ['--help']).error === undefined) await byMosquitto(url, topic, lines, client);
  else await byClient(topic, lines, client);
  return lines;
}

/** mosquitto_sub does not say when it has subscribed, so it is sent something until it shows it. */
async function byMosquitto(url: string, topic: string, lines: string[], client: MqttClient): Promise<void> {
  const { hostname, port } = new URL(url);
  const args = ['-h', hostname, '-p', port, '-q', '1', '-t', `${topic}/#`];
  const child = spawn('mosquitto_sub', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill();
  });
  let rest = '';
  let subscribed = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    subscribed ||= parts.includes(PROBE);
    lines.push(...parts.filter((line) => line !== PROBE));
  });
  await eventually(async () => {
    await client.publishAsync(`${topic}/probe`, PROBE, { qos: 1 });
    return subscribed;
  });
}

async function byClient(topic: string, lines: string[], client: MqttClient): Promise<void> {
  client.on('message', (_topic, payload) => lines.push(payload.toString()));
  await client.subscribeAsync(`${topic}/#`, { qos: 1 });
}
