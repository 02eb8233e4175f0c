import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import type { Log } from '../../src/core/log.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Refusal } from '../../src/core/validation.ts';
import { type RouteSchema, RouteValidators } from '../../src/schema/route-validators.ts';
import { jsonEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { SchemaServer } from '../setup/schema-server.ts';

let server: SchemaServer;
const opened: RouteValidators[] = [];

beforeEach(async () => {
  server = await SchemaServer.start();
});

afterEach(async () => {
  for (const validators of opened.splice(0)) await validators.close();
  await server.stop();
});

function validators(
  over: { allow?: string[]; maxSchemas?: number; maxBytes?: number; log?: Log } = {},
): RouteValidators {
  const made = new RouteValidators({
    allow: [server.url],
    timeoutMs: 200,
    maxBytes: 10_000,
    maxSchemas: 10,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    ...over,
  });
  opened.push(made);
  return made;
}

/** The verdict once there is one. */
async function verdict(of: RouteValidators, schema: RouteSchema, event: MeshEvent): Promise<Refusal | undefined> {
  for (;;) {
    const said = of.validator(schema).check(event);
    if (!(said instanceof Promise)) return said;
    await said;
  }
}

const REJECT: RouteSchema = { kind: 'dataschema', unknown: 'reject' };
const ACCEPT: RouteSchema = { kind: 'dataschema', unknown: 'accept' };
const NUMBER = { type: 'object', properties: { n: { type: 'integer' } } };
const event = (dataschema: string | undefined, data = '{"n":1}', datacontenttype = 'application/json'): MeshEvent =>
  jsonEvent(1, { dataschema, data: Buffer.from(data), datacontenttype });

describe('dataschema', () => {
  test('is fetched once, compiled once, and decides', async () => {
    server.answers.set('/n.json', NUMBER);
    const all = validators();
    const asked = Array.from({ length: 50 }, (_, n) =>
      verdict(all, REJECT, event(`${server.url}n.json`, `{"n":${n}}`)),
    );
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 50 }, () => undefined));
    expect(await verdict(all, REJECT, event(`${server.url}n.json#`, '{"n":"x"}'))).toEqual({
      code: 'E_SCHEMA_INVALID',
      message: '/n: type: must be integer',
    });
    expect(server.asked).toEqual(['/n.json']);
  });

  test.each([
    ['is missing', () => event(undefined), 'the event has no dataschema'],
    ['is relative', () => event('n.json'), 'its dataschema is not allowed by schemas.allow'],
    ['is on another host', () => event('http://127.0.0.1.evil.example/n.json'), 'its dataschema is not allowed'],
    ['is a file', () => event('file:///etc/passwd'), 'its dataschema is not allowed'],
    ['has a user', () => event(server.url.replace('//', '//u:p@')), 'its dataschema is not allowed'],
    ['leaves the folder', () => event(`${server.url}ok/%2e%2e/n.json`), 'its dataschema is not allowed'],
    ['points into a document', () => event(`${server.url}ok/n.json#/$defs/a`), 'its dataschema is not allowed'],
    ['does not exist', () => event(`${server.url}ok/none.json`), 'its dataschema does not exist'],
    [
      'is beside data that is not JSON',
      () => event(`${server.url}ok/n.json`, 'x', 'text/plain'),
      'the data is not JSON',
    ],
  ])('that %s is unknown: rejected with a reason, or accepted', async (_, make, message) => {
    const all = validators({ allow: [`${server.url}ok/`] });
    expect(await verdict(all, REJECT, make())).toEqual({
      code: 'E_SCHEMA_UNKNOWN',
      message: expect.stringContaining(message),
    });
    expect(await verdict(all, ACCEPT, make())).toBeUndefined();
    expect(server.asked.every((path) => path === '/ok/none.json')).toBe(true);
  });

  test.each([
    ['not JSON', '{', 'it is not JSON'],
    ['no schema', { type: 'x' }, 'must be'],
    ['too large', { description: 'x'.repeat(20_000) }, 'more than 10000 bytes'],
    ['a redirect', 302, 'redirects are not followed'],
    ['refers elsewhere', { $ref: 'https://evil.example/x.json' }, 'nor allowed by schemas.allow'],
    ['refers to what is not there', { $ref: 'gone.json' }, 'which does not exist'],
    ['refers to a file', { $ref: 'file:///etc/passwd' }, 'nor allowed by schemas.allow'],
  ])('that is %s refuses the event, whatever `unknown` says', async (_, answer, message) => {
    server.answers.set('/bad.json', answer);
    const refusal = await verdict(validators(), ACCEPT, event(`${server.url}bad.json`));
    expect(refusal?.code).toMatch(/^E_(SCHEMA_UNUSABLE|SCHEMA_NOT_ALLOWED|FETCH_TOO_LARGE)$/);
    expect(refusal?.message).toContain(message);
  });

  test('that refers to allowed documents is made of them; a cycle ends', async () => {
    server.answers.set('/a.json', { properties: { b: { $ref: 'b.json' } } });
    server.answers.set('/b.json', { properties: { a: { $ref: 'a.json' } }, additionalProperties: false });
    const all = validators();
    expect(await verdict(all, REJECT, event(`${server.url}a.json`, '{"b":{"a":{"b":{}}}}'))).toBeUndefined();
    expect(await verdict(all, REJECT, event(`${server.url}a.json`, '{"b":{"c":1}}'))).toMatchObject({
      message: '/b: additionalProperties: must NOT have additional properties',
    });
  });

  test('with endless references is given up', async () => {
    for (let n = 0; n < 100; n += 1) server.answers.set(`/${n}.json`, { $ref: `${n + 1}.json` });
    const refusal = await verdict(validators(), REJECT, event(`${server.url}0.json`));
    expect(refusal?.message).toContain('refers to more than 64 documents');
  });

  test.each([503, 429, 500, 401, 'hang' as const])('whose server answers %s waits, then passes', async (answer) => {
    server.answers.set('/n.json', answer);
    const warned: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => warned.push(message) };
    const all = validators({ log });
    let decided = false;
    const pending = verdict(all, ACCEPT, event(`${server.url}n.json`)).finally(() => {
      decided = true;
    });
    await eventually(() => server.asked.length >= 2);
    expect(decided).toBe(false);
    expect(warned[0]).toMatch(/^a schema is waited for: http:\/\/127/);
    server.answers.set('/n.json', NUMBER);
    expect(await pending).toBeUndefined();
  });

  test('the cache is bounded: the oldest is fetched again', async () => {
    for (let n = 0; n < 4; n += 1) server.answers.set(`/${n}.json`, NUMBER);
    const all = validators({ maxSchemas: 2 });
    for (const n of [0, 1, 2, 3, 3, 0]) await verdict(all, REJECT, event(`${server.url}${n}.json`));
    expect(server.asked).toEqual(['/0.json', '/1.json', '/2.json', '/3.json', '/0.json']);
  });
});

describe("a route's own schema", () => {
  const own = (path: string): RouteSchema => ({ kind: 'schema', location: `${server.url}${path}`, documents: [] });

  test('is fetched at start, and again until it is there and can be used', async () => {
    const all = validators();
    const pending = verdict(all, own('n.json'), event(undefined));
    all.start([own('n.json')]);
    await eventually(() => server.asked.length >= 2); // 404
    server.answers.set('/n.json', 'not a schema');
    const before = server.asked.length;
    await eventually(() => server.asked.length >= before + 2);
    server.answers.set('/n.json', NUMBER);
    expect(await pending).toBeUndefined();
    expect(await verdict(all, own('n.json'), event(undefined, '{"n":"x"}'))).toMatchObject({
      code: 'E_SCHEMA_INVALID',
    });
  });

  test('out of files may refer to what has to be fetched', async () => {
    const text = JSON.stringify({ properties: { n: { $ref: `${server.url}int.json` } } });
    server.answers.set('/int.json', { type: 'integer' });
    const location = 'file:///etc/fairlead/n.json';
    const schema: RouteSchema = { kind: 'schema', location, documents: [{ location, text }] };
    expect(await verdict(validators(), schema, event(undefined, '{"n":"x"}'))).toMatchObject({
      code: 'E_SCHEMA_INVALID',
    });
  });

  test('refuses what has no data or is not JSON', async () => {
    const location = 'file:///etc/fairlead/any.json';
    const schema: RouteSchema = { kind: 'schema', location, documents: [{ location, text: 'true' }] };
    const all = validators();
    expect(await verdict(all, schema, event(undefined, 'x'))).toMatchObject({ message: 'the data is not JSON' });
    const empty = jsonEvent(1, { data: undefined });
    expect(await verdict(all, schema, empty)).toMatchObject({ message: 'the event has no data' });
    expect(await verdict(all, schema, event(undefined, 'null', 'text/plain'))).toBeUndefined();
  });

  test('closing ends what is under way', async () => {
    server.answers.set('/n.json', 'hang');
    const all = validators();
    const waiting = all.validator(own('n.json')).check(event(undefined));
    await eventually(() => server.asked.length === 1);
    await all.close();
    const first = await Promise.race([waiting, new Promise((resolve) => setImmediate(resolve, 'nothing'))]);
    expect(first).toBe('nothing');
    expect(server.asked.length).toBe(1);
  });
});
