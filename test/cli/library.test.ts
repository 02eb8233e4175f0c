import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudEvent } from 'cloudevents';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import * as fairlead from '../../src/index.ts';
import { eventually } from '../setup/eventually.ts';

const { adapters, checkCesql, compileCesql, compileCesqlFilter, compileFilters } = fairlead;
const { defineAdapter, fromSdk, loadConfig, openGateway, toSdk } = fairlead;

const life = { check: async () => [], health: (): fairlead.Health => ({ status: 'up' }), close: async () => {} };

/** An adapter outside the project: a source of one event, and a target that remembers. */
function echoAdapter(said: unknown[], settled: fairlead.Outcome[]): fairlead.AdapterSpec {
  const features = { redelivers: false, returns: false, delayedRetry: false, rejects: false };
  return defineAdapter({
    type: 'echo',
    summary: 'Says one thing and hears everything.',
    broker: z.strictObject({}),
    source: {
      schema: z.strictObject({ say: z.string() }),
      features: { ...features, keyedOrder: true, competing: false, partitioned: false },
      variables: [],
    },
    target: {
      schema: z.strictObject({}),
      features: { durability: 'none', orderedBatch: false, binaryMode: true },
    },
    createBroker: () => ({ close: async () => {} }),
    createSource: (_broker, { say }: { say: string }): fairlead.Source => ({
      ...life,
      async open(intake) {
        const event = fromSdk(new CloudEvent({ type: 'said', source: '/echo', data: say }));
        const delivery: fairlead.Delivery = { event, attempt: 1, orderingKey: undefined, meta: { position: {} } };
        intake.batch({ deliveries: [delivery], settle: (_index, outcome) => settled.push(outcome) });
      },
      pause() {},
      resume() {},
      lag: async () => undefined,
      drained: async () => {},
    }),
    createTarget: (): fairlead.Target => ({
      ...life,
      limits: { maxEvents: 10, maxBytes: 1 << 20, concurrency: 1 },
      open: async () => {},
      send: async (legs) => {
        said.push(...legs.map(({ event }) => event.json()));
        return legs.map(() => fairlead.CONFIRMED);
      },
      backlog: async () => undefined,
    }),
  });
}

test('a program runs a gateway with an adapter of its own', async () => {
  const said: unknown[] = [];
  const settled: fairlead.Outcome[] = [];
  const all = [...adapters, echoAdapter(said, settled)];
  const store = mkdtempSync(join(tmpdir(), 'fairlead-library-'));
  onTestFinished(() => rmSync(store, { recursive: true }));
  const text = `version: 1
brokers: { echo: { type: echo } }
sources: { in: { broker: echo, say: hello } }
targets: { out: { broker: echo } }
routes:
  - { name: never, from: [in], when: { filters: [{ sql: INT(type) = 1 }] }, to: [out], delivery: { deadLetter: { store: true } } }
  - { name: all, from: [in], to: [out], delivery: { deadLetter: { store: true } } }
store: { path: ${store} }
`;
  const { config, findings } = loadConfig(text, { adapters: all, env: {}, readFile: () => '', file: 'inline' });
  expect(findings).toEqual([]);
  const failures: fairlead.FairleadError[] = [];
  const gateway = await openGateway(config as fairlead.GatewayConfig, { adapters: all }, (error) =>
    failures.push(error),
  );
  gateway.start((error) => failures.push(error));
  await eventually(() => expect(settled).toEqual([fairlead.ACK]));
  expect(said).toEqual(['hello']);
  expect(gateway.status().balanced).toBe(true);
  expect(gateway.status().routes.map(({ name, filterErrors }) => [name, filterErrors])).toEqual([
    ['never', 1],
    ['all', 0],
  ]);
  await gateway.stop();
  expect(failures).toEqual([]);
});

test('events to and from the SDK, and filters', () => {
  const event = fromSdk(new CloudEvent({ id: '1', type: 'com.acme.x', source: '/s', tenant: 'a', data: { n: 1 } }));
  expect(toSdk(event)).toMatchObject({ id: '1', tenant: 'a', data: { n: 1 } });
  expect(compileFilters([{ prefix: { type: 'com.acme.' } }, { not: { exact: { tenant: 'b' } } }])(event)).toBe(true);
  expect(compileCesql("CONCAT(tenant, '-', id)").evaluate(event)).toEqual({ value: 'a-1' });
  expect(compileCesqlFilter("tenant = 'a'")(event)).toBe('match');
  expect(checkCesql('tenant')).toMatchObject([{ severity: 'warning', code: 'W_CESQL_BARE_ATTRIBUTE' }]);
});
