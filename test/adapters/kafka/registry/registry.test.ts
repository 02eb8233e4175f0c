import type { KafkaMessage } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { schemaRegistry } from '../../../../src/adapters/kafka/registry/config.ts';
import { SchemaRegistry } from '../../../../src/adapters/kafka/registry/registry.ts';
import { testContext } from '../../../setup/context.ts';
import { eventually } from '../../../setup/eventually.ts';
import { ErrorAnswer, SchemaServer } from '../../../setup/schema-server.ts';
import { framed } from './registry.ts';

let server: SchemaServer;
const opened: SchemaRegistry[] = [];

beforeEach(async () => {
  server = await SchemaServer.start();
});
afterEach(async () => {
  for (const registry of opened.splice(0)) await registry.close();
  await server.stop();
});

function open(fields: object = {}): { registry: SchemaRegistry; failures: string[] } {
  const failures: string[] = [];
  const config = schemaRegistry.parse({ url: server.url, timeout: '300ms', ...fields });
  const registry = new SchemaRegistry(config, testContext('in', { random: () => 0 }), ({ code }) =>
    failures.push(code),
  );
  opened.push(registry);
  return { registry, failures };
}

const message = (value: Buffer, headers: KafkaMessage['headers'] = {}): KafkaMessage => {
  return { key: null, value, headers, timestamp: '0', attributes: 0, offset: '0' };
};

/** The JSON of a value once its schema is there. */
async function decoded(registry: SchemaRegistry, value: Buffer, headers: KafkaMessage['headers'] = {}) {
  await registry.missing([message(value, headers)])?.settled;
  expect(registry.missing([message(value, headers)])).toBeUndefined();
  const found = registry.decode(value, headers, 1_000);
  return found && { ...found, data: String(found.data) };
}

const STRING = { schema: '"string"' };
const HI = Buffer.from([4, ...Buffer.from('hi')]);

describe("with a registry of the tests' own", () => {
  test.each([
    [{ username: 'app', password: 'pä:ss' }, `Basic ${Buffer.from('app:pä:ss').toString('base64')}`],
    [{ token: 't0ken' }, 'Bearer t0ken'],
  ])('credentials %j go along', async (auth, expected) => {
    server.answers.set('/schemas/ids/7', STRING);
    expect(await decoded(open({ auth }).registry, framed(7, HI))).toEqual({
      data: '"hi"',
      dataschema: `${server.url}schemas/ids/7`,
    });
    // A slow machine may have asked twice.
    expect(new Set(server.credentials)).toEqual(new Set([expected]));
  });

  test.each([
    ['an id', Buffer.from([0, 0, 0, 0, 7]), '/schemas/ids/7'],
    [
      'a GUID',
      Buffer.from(`01${'0123456789abcdef'.repeat(2)}`, 'hex'),
      '/schemas/guids/01234567-89ab-cdef-0123-456789abcdef',
    ],
  ])('the header __value_schema_id names %s, and the whole value is the payload', async (_, header, path) => {
    server.answers.set(path, STRING);
    const found = await decoded(open().registry, HI, { __value_schema_id: header });
    expect(found).toEqual({ data: '"hi"', dataschema: `${server.url.slice(0, -1)}${path}` });
  });

  test('a header that is malformed is poison', async () => {
    const { registry } = open();
    const headers = { __value_schema_id: Buffer.from([2]) };
    expect(registry.missing([message(HI, headers)])).toBeUndefined();
    expect(() => registry.decode(HI, headers, 1_000)).toThrow('the header __value_schema_id is malformed');
  });

  test.each([
    ['a status of 500', 500, 'E_KAFKA_REGISTRY_UNAVAILABLE'],
    ['a refusal', 401, 'E_KAFKA_REGISTRY_AUTH'],
    ['a 404 in no words of a registry', 404, 'E_KAFKA_REGISTRY_UNAVAILABLE'],
    ['a page', '<html>', 'E_KAFKA_REGISTRY_UNAVAILABLE'],
    ['no answer', 'hang' as const, 'E_FETCH_UNAVAILABLE'],
  ])('%s is waited out past `unknownFor`', async (_, answer, code) => {
    server.answers.set('/schemas/ids/7', answer);
    const { registry, failures } = open({ unknownFor: '1ms' });
    const pending = decoded(registry, framed(7, HI));
    await eventually(() => failures.length >= 2);
    expect(new Set(failures)).toEqual(new Set([code]));
    server.answers.set('/schemas/ids/7', STRING);
    expect(await pending).toMatchObject({ data: '"hi"' });
  });

  test('an unknown id is waited for; so is what a schema refers to', async () => {
    const unknown = new ErrorAnswer(404, { error_code: 40403, message: 'Schema 7 not found' });
    server.answers.set('/schemas/ids/7', unknown);
    server.answers.set('/subjects/a%2Fb/versions/3', new ErrorAnswer(404, { error_code: 40402 }));
    const { registry, failures } = open();
    const pending = decoded(registry, framed(7, HI));
    await eventually(() => failures.length >= 1);
    const references = [{ name: 'T', subject: 'a/b', version: 3 }];
    server.answers.set('/schemas/ids/7', { schema: '"T"', references });
    const before = failures.length;
    await eventually(() => failures.length > before);
    server.answers.set('/subjects/a%2Fb/versions/3', { schema: '{"type":"enum","name":"T","symbols":["A","B","C"]}' });
    await expect(pending).rejects.toThrow('the record does not fit its schema'); // HI is no T
    expect(registry.decode(framed(7, Buffer.from([2])), {}, 1_000)?.data.toString()).toBe('"B"');
    expect(new Set(failures)).toEqual(new Set(['E_KAFKA_REGISTRY_UNKNOWN']));
  });

  test.each([
    ['Protobuf', { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' }, 'type PROTOBUF are not supported'],
    ['broken', { schema: '{' }, 'the Avro schema cannot be used'],
  ])('a schema that is %s makes poison of its records at once', async (_, answer, why) => {
    server.answers.set('/schemas/ids/7', answer);
    await expect(decoded(open().registry, framed(7, HI))).rejects.toThrow(why);
    expect(server.asked.length).toBe(1);
  });

  test('records that wait for one schema ask for it once', async () => {
    server.answers.set('/schemas/ids/7', STRING);
    const { registry } = open();
    const messages = Array.from({ length: 100 }, () => message(framed(7, HI)));
    const waits = [registry.missing(messages), registry.missing(messages)];
    expect(waits.map((wait) => wait?.index)).toEqual([0, 0]);
    await Promise.all(waits.map((wait) => wait?.settled));
    expect(server.asked).toEqual(['/schemas/ids/7']);
  });
});
