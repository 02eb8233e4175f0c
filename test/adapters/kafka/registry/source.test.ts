import avsc, { type Schema } from 'avsc';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodeRecord } from '../../../../src/adapters/kafka/codec.ts';
import { ACK } from '../../../../src/core/delivery.ts';
import type { Source } from '../../../../src/core/source.ts';
import { HoldingIntake } from '../../../conformance/intake.ts';
import { jsonEvent } from '../../../setup/events.ts';
import { eventually } from '../../../setup/eventually.ts';
import { brokerOf, never, RawKafka, sourceOf, unique } from '../fixture.ts';
import { framed, Registry } from './registry.ts';

const raw = new RawKafka();
const broker = brokerOf();
const opened: Source[] = [];
let registry: Registry;

beforeAll(async () => {
  registry = await Registry.start();
}, 180_000);
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
});
afterAll(async () => {
  await registry.stop();
  await broker.close();
  await raw.close();
});

const DRAFT_7 = 'http://json-schema.org/draft-07/schema#';
const ORDER = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'n', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
};

/** The schema of orders as none has been registered before: a registry gives the same id to the same text. */
function newOrder(): object {
  return { ...ORDER, name: unique('Order').replace('-', '_') };
}

/** An order in Avro; n may be any 64-bit number. */
function order(n: bigint | number, note: string | null = null): Buffer {
  const text = avsc.Type.forSchema(['null', 'string'], { wrapUnions: true });
  let left = BigInt.asUintN(64, (BigInt(n) << 1n) ^ (BigInt(n) >> 63n));
  const long: number[] = [];
  for (; left > 0x7fn; left >>= 7n) long.push(Number(left & 0x7fn) | 0x80);
  return Buffer.concat([Buffer.from([...long, Number(left)]), text.toBuffer(note === null ? null : { string: note })]);
}

async function open(topic: string, fields: Record<string, unknown> = {}, group: string = unique('group')) {
  const schemaRegistry = { url: registry.url, timeout: '1s', ...fields };
  const source = sourceOf(broker, { topics: [topic], group, schemaRegistry });
  opened.push(source);
  const intake = new HoldingIntake();
  await source.open(intake, never);
  return { source, intake, group };
}

const data = (intake: HoldingIntake): string[] => intake.events.map(({ event }) => String(event.data));
const numbers = (intake: HoldingIntake): number[] =>
  intake.events.map(({ event }) => (event.json() as { n: number }).n);

describe('with a real registry (Apicurio)', () => {
  test('Avro becomes JSON with all digits, its content type and the address of its schema', async () => {
    const topic = await raw.createTopic('avro');
    const id = await registry.register(unique('avro'), { schema: ORDER });
    await raw.produce(topic, [
      { key: 'k', value: framed(id, order(9_007_199_254_740_993n, 'über "alles"')) },
      { key: 'k', value: null },
    ]);
    const { intake } = await open(topic);
    await eventually(() => intake.received.length === 2);
    const [first, tombstone] = intake.events;
    expect(data(intake)[0]).toBe('{"n":9007199254740993,"note":"über \\"alles\\""}');
    expect(first).toMatchObject({ orderingKey: 'k', meta: { key: Buffer.from('k') } });
    expect(first?.event).toMatchObject({
      id: `${topic}/0/0`,
      type: 'org.apache.kafka.record',
      datacontenttype: 'application/json',
      dataschema: `${registry.url}/schemas/ids/${id}`,
    });
    expect(tombstone?.event).toMatchObject({ data: undefined, dataschema: undefined });
  });

  test('schemas that refer to others, and others still', async () => {
    const topic = await raw.createTopic('refs');
    const [city, address, person] = [unique('city'), unique('address'), unique('person')];
    const record = (name: string, field: string, type: unknown): object => {
      return { type: 'record', name, namespace: 'a.b', fields: [{ name: field, type }] };
    };
    const toCity = { name: 'a.b.City', subject: city, version: 1 };
    await registry.register(city, { schema: record('City', 'name', 'string') });
    await registry.register(address, { schema: record('Address', 'city', 'a.b.City'), references: [toCity] });
    const id = await registry.register(person, {
      schema: {
        ...record('Person', 'home', 'a.b.Address'),
        fields: [
          { name: 'home', type: 'a.b.Address' },
          { name: 'born', type: 'a.b.City' },
        ],
      },
      references: [{ name: 'a.b.Address', subject: address, version: 1 }, toCity],
    });
    await raw.produce(topic, [
      { value: framed(id, Buffer.from([8, ...Buffer.from('Bonn'), 6, ...Buffer.from('Ulm')])) },
    ]);
    const { intake } = await open(topic);
    await eventually(() => intake.received.length === 1);
    expect(data(intake)).toEqual(['{"home":{"city":{"name":"Bonn"}},"born":{"name":"Ulm"}}']);
  });

  test('JSON Schema payloads are taken as they are; what is not JSON is poison', async () => {
    const topic = await raw.createTopic('json');
    const id = await registry.register(unique('json'), {
      schemaType: 'JSON',
      schema: { $schema: DRAFT_7, type: 'object' },
    });
    const values = ['{ "n": 12345678901234567890.0 }', '{"n":', '"\xff'].map((text) =>
      framed(id, Buffer.from(text, 'latin1')),
    );
    await raw.produce(
      topic,
      values.map((value) => ({ value })),
    );
    const { intake } = await open(topic);
    await eventually(() => intake.received.length === 3);
    expect(data(intake)).toEqual(['{ "n": 12345678901234567890.0 }']);
    expect(intake.received.slice(1).map(({ delivery }) => delivery.poison)).toMatchObject([
      { code: 'E_KAFKA_REGISTRY_DATA', raw: values[1] },
      { code: 'E_KAFKA_REGISTRY_DATA', raw: values[2] },
    ]);
  });

  test('CloudEvents: binary ones are decoded and keep their attributes, structured ones are left alone', async () => {
    const topic = await raw.createTopic('ce');
    const id = await registry.register(unique('ce'), { schema: ORDER });
    const binary = (over: object): { value: Buffer | null; headers: Record<string, string | Buffer> } =>
      encodeRecord(
        jsonEvent(1, { id: 'b', datacontenttype: 'application/avro', data: framed(id, order(5)), ...over }),
        'binary',
        undefined,
      );
    await raw.produce(topic, [
      binary({}),
      binary({ dataschema: 'https://acme.com/order' }),
      encodeRecord(jsonEvent(2, { id: 's', data: Buffer.from('{"n":2}') }), 'structured', undefined),
    ]);
    const { intake } = await open(topic);
    await eventually(() => intake.received.length === 3);
    expect(numbers(intake)).toEqual([5, 5, 2]);
    expect(intake.events.map(({ event }) => [event.id, event.type, event.datacontenttype, event.dataschema])).toEqual([
      ['b', 'test.reading', 'application/json', `${registry.url}/schemas/ids/${id}`],
      ['b', 'test.reading', 'application/json', 'https://acme.com/order'],
      ['s', 'test.reading', 'application/json', undefined],
    ]);
  });

  test('what names no schema is poison, or passes where that is configured; so is what does not fit', async () => {
    const topic = await raw.createTopic('poison');
    const id = await registry.register(unique('poison'), { schema: ORDER });
    const cut = framed(id, order(1, 'text').subarray(0, 3));
    await raw.produce(topic, [
      { value: '{"n":1}' },
      { value: Buffer.from([0, 0]) },
      { value: cut },
      { value: framed(id, order(7)) },
    ]);
    const strict = await open(topic);
    await eventually(() => strict.intake.received.length === 4);
    expect(strict.intake.received.map(({ delivery }) => delivery.poison?.code)).toEqual([
      'E_KAFKA_REGISTRY_FRAME',
      'E_KAFKA_REGISTRY_FRAME',
      'E_KAFKA_REGISTRY_DATA',
      undefined,
    ]);
    expect(strict.intake.received[2]?.delivery.poison).toMatchObject({ raw: cut });
    const lax = await open(topic, { unframed: 'pass' });
    await eventually(() => lax.intake.received.length === 4);
    expect(data(lax.intake)).toEqual(['{"n":1}', '\0\0', '{"n":7,"note":null}']);
  });

  test('an id that is not registered yet holds its partition, in order, and no other; then all comes once', async () => {
    const topic = await raw.createTopic('late', 2);
    const known = await registry.register(unique('late'), { schema: newOrder() });
    const late = known + 1;
    const at = (partition: number, id: number, n: number) => ({ partition, value: framed(id, order(n)) });
    await raw.produce(topic, [at(0, known, 1), at(0, known, 2), at(0, late, 3), at(0, known, 4), at(1, known, 10)]);
    const { intake, source, group } = await open(topic);
    intake.onArrival = ACK;
    await eventually(
      () => intake.received.length === 3 && source.health().lastError?.code === 'E_KAFKA_REGISTRY_UNKNOWN',
    );
    await raw.produce(topic, [at(1, known, 11)]);
    await eventually(() => intake.received.length === 4);
    expect(numbers(intake).sort((a, b) => a - b)).toEqual([1, 2, 10, 11]);
    await source.drained();
    expect(await raw.committed(group, topic)).toEqual([2, 2]);
    expect(await registry.register(unique('late'), { schema: newOrder() })).toBe(late);
    await eventually(() => intake.received.length === 6);
    expect(numbers(intake).filter((n) => n < 10)).toEqual([1, 2, 3, 4]);
    await source.drained();
    expect(await raw.committed(group, topic)).toEqual([4, 2]);
  });

  test('an id that stays unknown for longer than `unknownFor` is poison, verbatim; the rest goes on', async () => {
    const topic = await raw.createTopic('unknown');
    const known = await registry.register(unique('unknown'), { schema: ORDER });
    const bad = framed(known + 100_000, order(2));
    await raw.produce(topic, [
      { value: framed(known, order(1)) },
      { value: bad },
      { value: bad },
      { value: framed(known, order(3)) },
    ]);
    const { intake } = await open(topic, { unknownFor: '500ms' });
    await eventually(() => intake.received.length === 4);
    expect(numbers(intake)).toEqual([1, 3]);
    expect(intake.received[1]?.delivery.poison).toMatchObject({ code: 'E_KAFKA_REGISTRY_UNKNOWN', raw: bad });
    // asked about again, but not waited for again
    await raw.produce(topic, [{ value: bad }, { value: framed(known, order(4)) }]);
    await eventually(() => intake.received.length === 6);
  });

  test('a registry that is down is waited for past `unknownFor`; schemas that are kept need no registry', async () => {
    const topic = await raw.createTopic('down', 2);
    const [kept, fresh] = [
      await registry.register(unique('down'), { schema: ORDER }),
      await registry.register(unique('down'), { schema: newOrder() }),
    ];
    await raw.produce(topic, [{ partition: 0, value: framed(kept, order(1)) }]);
    const { intake, source } = await open(topic, { unknownFor: '100ms' });
    await eventually(() => intake.received.length === 1);
    await registry.down();
    await raw.produce(topic, [
      { partition: 0, value: framed(kept, order(2)) },
      { partition: 1, value: framed(fresh, order(3)) },
    ]);
    await eventually(() => source.health().lastError?.code === 'E_FETCH_UNAVAILABLE');
    await eventually(() => intake.received.length === 2);
    expect(numbers(intake)).toEqual([1, 2]);
    expect(await source.check()).toContainEqual(
      expect.objectContaining({ what: `schema registry ${registry.url}`, ok: false }),
    );
    await registry.up();
    await eventually(() => intake.received.length === 3, { timeoutMs: 40_000 });
    expect(numbers(intake)).toEqual([1, 2, 3]);
    expect(intake.received.every(({ delivery }) => delivery.poison === undefined)).toBe(true);
    expect(await source.check()).toContainEqual({ what: `schema registry ${registry.url}`, ok: true });
  });

  test('a source that waits can be closed, and its successor begins where it stood', async () => {
    const topic = await raw.createTopic('successor');
    const known = await registry.register(unique('successor'), { schema: newOrder() });
    const values = [known, known + 1, known].map((id, n) => ({ value: framed(id, order(n)) }));
    await raw.produce(topic, values);
    const first = await open(topic);
    first.intake.onArrival = ACK;
    await eventually(() => first.intake.received.length === 1 && first.source.health().lastError !== undefined);
    await first.source.close();
    await registry.register(unique('successor'), { schema: newOrder() });
    const second = await open(topic, {}, first.group);
    await eventually(() => second.intake.received.length === 2);
    expect(numbers(second.intake)).toEqual([1, 2]);
  });

  test('thousands of records over many schemas come once each and in order, whatever the cache holds', async () => {
    const topic = await raw.createTopic('many');
    const ids: number[] = [];
    for (let n = 0; n < 25; n += 1) ids.push(await registry.register(unique('many'), { schema: newOrder() }));
    const values = Array.from({ length: 3_000 }, (_, n) => {
      return { value: framed(ids[Math.floor(n / 40) % ids.length] as number, order(n)) };
    });
    for (let at = 0; at < values.length; at += 500) await raw.produce(topic, values.slice(at, at + 500));
    const { intake } = await open(topic, { maxSchemas: 10 });
    intake.onArrival = ACK;
    await eventually(() => intake.received.length >= 3_000, { timeoutMs: 50_000 });
    expect(numbers(intake)).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  });
});

test('the schema in the tests and the bytes in them agree', () => {
  const type = avsc.Type.forSchema(ORDER as Schema, { wrapUnions: true });
  expect(order(-77, 'x')).toEqual(type.toBuffer({ n: -77, note: { string: 'x' } }));
});
