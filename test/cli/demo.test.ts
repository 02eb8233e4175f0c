import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { Command } from './command.ts';
import { subscribe } from './subscriber.ts';

/** A loopback port that is in use until the test ends. */
async function takenPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('an event posted to the printed address arrives on MQTT; Ctrl-C drains; taken ports move on', async () => {
  const [mqttPort, httpPort] = [await takenPort(), await takenPort()];
  const demo = new Command(['demo', '--mqtt-port', `${mqttPort}`, '--http-port', `${httpPort}`, '--rate', '50']);
  const [, mqtt = ''] = await demo.until(/MQTT +(mqtt:\S+) \(embedded\)/);
  const [, events = ''] = await demo.until(/HTTP in +(http:\S+)/);
  expect(Number(new URL(mqtt).port)).toBeGreaterThan(mqttPort);
  expect(Number(new URL(events).port)).toBeGreaterThan(httpPort);

  const arrived = await subscribe(mqtt, 'fairlead/demo');
  const response = await fetch(events, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: '{"specversion":"1.0","id":"mine","source":"/me","type":"com.example.hello","data":{"hello":"world"}}',
  });
  expect(response.status).toBe(202);
  await eventually(() => {
    const events = arrived.map((line) => JSON.parse(line) as { id: string; type: string; data: unknown });
    expect(events.find(({ id }) => id === 'mine')).toMatchObject({ source: '/me', data: { hello: 'world' } });
    const types = new Set(events.map(({ type }) => type));
    for (const type of ['com.example.temperature', 'com.example.vibration', 'com.example.order']) {
      expect(types).toContain(type);
    }
  });
  await demo.until(/in \d+\S*\/s +out .* dead letters \d+ +p50/);

  // npm and its wrappers forward one Ctrl-C several times
  demo.signal('SIGINT');
  demo.signal('SIGINT');
  const { code, stdout } = await demo.end();
  expect(stdout).toMatch(/received \d+ +confirmed \d+ +dead letters \d+ +unsettled 0 +accounts balance\n$/);
  expect(code).toBe(0);
});

test('stops by itself after --duration', async () => {
  const demo = new Command(['demo', '--mqtt-port', '0', '--http-port', '0', '--duration', '1s']);
  const { code, stdout } = await demo.end();
  expect(stdout).toMatch(/accounts balance\n$/);
  expect(code).toBe(0);
});
