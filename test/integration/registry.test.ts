import avsc, { type Schema } from 'avsc';
import { expect, onTestFinished, test } from 'vitest';
import { bootstrap, RawKafka, unique } from '../adapters/kafka/fixture.ts';
import { framed, Registry } from '../adapters/kafka/registry/registry.ts';
import { eventually } from '../setup/eventually.ts';
import { routeConfig, runGateway, settledAndBalanced } from '../setup/gateway.ts';
import { SchemaServer } from '../setup/schema-server.ts';

const READING = {
  type: 'record',
  name: unique('Reading').replace('-', '_'),
  fields: [
    { name: 'n', type: 'int' },
    { name: 'celsius', type: 'double' },
  ],
};

test('Avro in, matched and checked as JSON, JSON out; every event is accounted for', async () => {
  const [registry, server] = await Promise.all([Registry.start(), SchemaServer.start()]);
  const raw = new RawKafka();
  onTestFinished(async () => {
    await Promise.all([registry.stop(), server.stop(), raw.close()]);
  }, 60_000);
  const [from, to] = [await raw.createTopic('avro-in', 3), await raw.createTopic('json-out', 3)];
  const id = await registry.register(unique('reading'), { schema: READING });
  const avro = avsc.Type.forSchema(READING as Schema);
  const records = Array.from({ length: 600 }, (_, n) => {
    const value = n % 100 === 99 ? framed(id, '') : framed(id, avro.toBuffer({ n, celsius: n % 10 }));
    return { key: `k${n % 16}`, value };
  });
  await raw.produce(from, records);

  const kafka = { type: 'kafka', brokers: [bootstrap()] };
  const schemaRegistry = { url: registry.url };
  const source = { topics: [from], group: unique('group'), startFrom: 'earliest', schemaRegistry };
  const when = { pattern: { data: { celsius: [{ numeric: ['>', 2] }] } } };
  const schema = `${server.url}reading.json`;
  server.answers.set('/reading.json', { properties: { celsius: { maximum: 8 } } });
  const text = routeConfig(
    { broker: kafka, source },
    { broker: kafka, target: { topic: to, encoding: 'binary' } },
    {
      routes: [{ name: 'pair', from: ['in'], when, schema, to: ['out'] }],
      schemas: { allow: [server.url] },
      unmatched: 'drop',
    },
  );
  const { gateway, stop } = await runGateway(text);
  // of each hundred 99 fit their schema: 30 match nothing, 9 are too hot
  await eventually(() => gateway.status().sources[0]?.counters.received === 600);
  await settledAndBalanced(gateway);
  const { aside, routes, sources } = gateway.status();
  expect(sources[0]?.counters).toMatchObject({ acknowledged: 600, poison: 6, unmatched: 180 });
  expect(aside.poison).toMatchObject({ planned: 6, deadLettered: 6 });
  expect(routes[0]?.legs[0]?.counters).toMatchObject({ planned: 414, confirmed: 360, deadLettered: 54, pending: 0 });
  const out = await raw.read([to], 360);
  await stop();
  expect(out.length).toBe(360);
  for (const { value, headers, key } of out) {
    const { n, celsius } = JSON.parse(String(value)) as { n: number; celsius: number };
    expect(String(key)).toBe(`k${n % 16}`);
    expect([celsius > 2, celsius < 9]).toEqual([true, true]);
    expect(String(headers['content-type'])).toBe('application/json');
    expect(String(headers['ce_dataschema'])).toBe(`${registry.url}/schemas/ids/${id}`);
  }
  for (let key = 0; key < 16; key += 1) {
    const own = out.filter((record) => String(record.key) === `k${key}`);
    const order = own.map(({ value }) => (JSON.parse(String(value)) as { n: number }).n);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  }
}, 180_000);
