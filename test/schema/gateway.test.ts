import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MemoryBroker } from '../../src/adapters/memory/broker.ts';
import { encode } from '../../src/adapters/memory/codec.ts';
import { memory } from '../../src/adapters/memory/index.ts';
import type { AdapterSpec } from '../../src/adapters/spec.ts';
import { Gateway } from '../../src/app.ts';
import { environment } from '../../src/components.ts';
import { formatFinding } from '../../src/config/finding.ts';
import { loadConfigFile } from '../../src/config/load.ts';
import type { GatewayConfig } from '../../src/config/types.ts';
import type { DeadLetterInit } from '../../src/core/dead-letter.ts';
import { SchemaChecks } from '../../src/schema-checks.ts';
import { jsonEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { settledAndBalanced } from '../setup/gateway.ts';
import { SchemaServer } from '../setup/schema-server.ts';

const ORDER = { type: 'object', properties: { n: { type: 'integer', maximum: 100 } }, required: ['n'] };

let folder: string;
let server: SchemaServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-schemas-'));
  server = await SchemaServer.start();
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

/** Runs one route, `routes` being its further fields, between two topics of memory. */
async function run(fields: string, section: string) {
  writeFileSync(join(folder, 'order.json'), JSON.stringify(ORDER));
  const text = `version: 1
brokers: { mem: { type: memory } }
sources: { in: { broker: mem, topic: in } }
targets: { out: { broker: mem, topic: out } }
routes: [{ name: orders, from: [in], ${fields}, to: [out] }]
schemas: { allow: ["${server.url}"], timeout: 200ms${section} }
`;
  writeFileSync(join(folder, 'fairlead.yaml'), text);
  const broker: { current?: MemoryBroker } = {};
  const spec: AdapterSpec = {
    ...memory,
    createBroker(config, context) {
      broker.current = memory.createBroker(config, context) as MemoryBroker;
      return broker.current;
    },
  };
  const load = (): GatewayConfig => {
    const { config, findings } = loadConfigFile(join(folder, 'fairlead.yaml'), { adapters: [spec], env: {} });
    if (config === undefined) throw new Error(findings.map(formatFinding).join('\n'));
    return config;
  };
  const config = load();
  const letters: DeadLetterInit[] = [];
  const keeper = {
    put: async (batch: readonly DeadLetterInit[]) => void letters.push(...batch),
    wrap: () => jsonEvent(0),
    close: async () => {},
  };
  const gateway = new Gateway(config, keeper, { adapters: [spec] });
  gateway.start((error) => {
    throw error;
  });
  await gateway.ready(5_000);
  const topic = (name: string) => (broker.current as MemoryBroker).topic(name);
  return {
    gateway,
    letters,
    load,
    put(n: number, dataschema?: string) {
      const event = jsonEvent(n, { id: String(n), data: Buffer.from(`{"n":${n}}`), dataschema });
      topic('in').put([encode(event, 'binary', `key-${n % 7}`)]);
    },
    arrived: () => topic('out').waiting,
    ids: () =>
      topic('out')
        .take(1_000)
        .map(({ record }) => Number(record.event?.id)),
  };
}

test('a gateway delivers what meets the schema of its route, dead-letters the rest, and its accounts balance', async () => {
  const { gateway, letters, put, arrived, ids } = await run('schema: order.json', '');
  for (let n = 0; n < 200; n += 1) put(n);
  await eventually(() => arrived() === 101 && letters.length === 99);
  await settledAndBalanced(gateway);
  expect(ids().sort((a, b) => a - b)).toEqual(Array.from({ length: 101 }, (_, n) => n));
  expect(letters[0]).toMatchObject({
    code: 'E_SCHEMA_INVALID',
    message: '/n: maximum: must be <= 100',
    attempts: 0,
    route: 'orders',
    target: 'out',
  });
  expect(gateway.status().routes[0]?.legs[0]?.counters).toMatchObject({
    planned: 200,
    confirmed: 101,
    deadLettered: 99,
  });
  await gateway.stop();
});

test('while the schema of a route cannot be had nothing passes and nothing is lost; order holds once it can', async () => {
  server.answers.set('/order.json', 503);
  const { gateway, letters, put, arrived, ids } = await run(`schema: "${server.url}order.json"`, '');
  for (let n = 0; n < 150; n += 1) put(n);
  await eventually(() => server.asked.length >= 3);
  expect([arrived(), letters.length, gateway.status().sources[0]?.counters.inFlight]).toEqual([0, 0, 150]);
  expect(gateway.status().balanced).toBe(true);
  server.answers.set('/order.json', ORDER);
  await eventually(() => arrived() === 101 && letters.length === 49);
  await settledAndBalanced(gateway);
  const order = ids();
  for (let key = 0; key < 7; key += 1) {
    const own = order.filter((n) => n % 7 === key);
    expect(own).toEqual([...own].sort((a, b) => a - b));
  }
  await gateway.stop();
});

test('events with a schema of their own wait for it alone, and `unknown: reject` keeps out what names none', async () => {
  server.answers.set('/slow.json', 503);
  server.answers.set('/fast.json', ORDER);
  const { gateway, letters, put, arrived } = await run('state: active', ', dataschema: { unknown: reject }');
  put(1, `${server.url}slow.json`);
  put(2, `${server.url}fast.json`);
  put(8, `${server.url}fast.json`); // the key of 1
  put(3);
  await eventually(() => arrived() === 1 && letters.length === 1);
  expect(letters[0]).toMatchObject({ code: 'E_SCHEMA_UNKNOWN', event: { id: '3' } });
  expect(gateway.status().sources[0]?.counters.inFlight).toBe(2);
  server.answers.set('/slow.json', ORDER);
  await eventually(() => arrived() === 3);
  await settledAndBalanced(gateway);
  await gateway.stop();
});

test('a reload takes a schema file as it is now, and holds what waits against it', async () => {
  const { gateway, letters, load, put, arrived } = await run('schema: order.json', '');
  put(50);
  await eventually(() => arrived() === 1);
  const text = readFileSync(join(folder, 'fairlead.yaml'), 'utf8');
  writeFileSync(join(folder, 'fairlead.yaml'), text.replace('order.json', `"${server.url}gone.json"`));
  await gateway.reload(load());
  put(51);
  await eventually(() => gateway.status().schemas.waiting === 1 && server.asked.includes('/gone.json'));
  writeFileSync(join(folder, 'fairlead.yaml'), text);
  writeFileSync(join(folder, 'order.json'), JSON.stringify({ properties: { n: { maximum: 50 } } }));
  await gateway.reload(load());
  await eventually(() => letters.length === 1);
  expect(letters[0]).toMatchObject({ code: 'E_SCHEMA_INVALID', message: '/n: maximum: must be <= 50' });
  put(49);
  await eventually(() => arrived() === 2);
  expect(gateway.status().schemas.waiting).toBe(0);
  await settledAndBalanced(gateway);
  await gateway.stop();
});

test('`fairlead check` says of each route whether its schema can be had', async () => {
  server.answers.set('/order.json', ORDER);
  const { gateway, load } = await run(`schema: "${server.url}order.json"`, '');
  const checks = new SchemaChecks(load(), environment({ adapters: [] }));
  expect(checks.routes.map(({ name }) => name)).toEqual(['orders']);
  const what = `schema ${server.url}order.json`;
  expect(await checks.routes[0]?.check()).toEqual([{ what, ok: true }]);
  server.answers.set('/order.json', 404);
  expect(await checks.routes[0]?.check()).toMatchObject([{ what, ok: false, code: 'E_SCHEMA_ABSENT' }]);
  await checks.close();
  await gateway.stop();
});
