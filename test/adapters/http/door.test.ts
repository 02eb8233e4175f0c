import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpBroker } from '../../../src/adapters/http/broker.ts';
import { ACK } from '../../../src/core/delivery.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { eventually } from '../../setup/eventually.ts';
import { broker, rawExchange, source } from './fixture.ts';

const REQUIRED = ['ce-specversion: 1.0', 'ce-id: 1', 'ce-source: /s', 'ce-type: t'];
const EVENT = '{"specversion":"1.0","id":"1","source":"/s","type":"t"}';
const never = new AbortController().signal;

let handle: HttpBroker;
let intake: HoldingIntake;

async function open(config: Parameters<typeof source>[1] = {}, settings: Record<string, unknown> = {}): Promise<void> {
  handle = broker(settings);
  intake = new HoldingIntake();
  intake.onArrival = ACK;
  await source(handle, config).open(intake, never);
}

const port = (): number => handle.address()?.port as number;

interface Answered {
  readonly status: number;
  readonly head: string;
  readonly code: string | undefined;
  readonly body: string;
}

/** Sends a request as written, byte for byte. */
async function send(headers: readonly string[], body: string | Buffer = '', line = 'POST /events HTTP/1.1') {
  const bytes = Buffer.from(body);
  const head = [line, 'host: x', 'connection: close', `content-length: ${bytes.length}`, ...headers].join('\r\n');
  return answered(
    await rawExchange(port(), Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), bytes]), () => false),
  );
}

function answered(text: string): Answered {
  const cut = text.indexOf('\r\n\r\n');
  const head = text.slice(0, cut).toLowerCase();
  const body = text.slice(cut + 4);
  const problem = head.includes('application/problem+json') ? JSON.parse(body) : undefined;
  if (problem !== undefined) {
    expect(problem).toEqual({
      type: 'about:blank',
      title: expect.any(String),
      status: Number(text.split(' ')[1]),
      code: expect.stringMatching(/^E_/),
      detail: expect.any(String),
    });
  }
  return { status: Number(text.split(' ')[1]), head, code: problem?.code, body };
}

describe('what is answered at the door', () => {
  beforeEach(() => open());
  afterEach(() => handle.close());

  test.each<[string, string[], string | Buffer, number, string]>([
    ['%C0%A0 is not UTF-8', [...REQUIRED, 'ce-subject: %C0%A0'], '', 400, 'E_CE_PERCENT'],
    ['ce-my-ext', [...REQUIRED, 'ce-my-ext: x'], '', 400, 'E_CE_INVALID_ATTRIBUTE'],
    ['two ce-id', [...REQUIRED, 'CE-ID: 2'], '', 400, 'E_CE_DUPLICATE'],
    ['two Content-Type', [...REQUIRED, 'content-type: a/b', 'content-type: a/b'], 'x', 400, 'E_CE_DUPLICATE'],
    ['ce-datacontenttype', [...REQUIRED, 'ce-datacontenttype: a/b'], '', 400, 'E_CE_INVALID_ATTRIBUTE'],
    ['no ce-id', REQUIRED.filter((line) => !line.startsWith('ce-id')), '', 400, 'E_CE_MISSING'],
    ['no ce-specversion', REQUIRED.slice(1), '', 400, 'E_CE_MISSING'],
    ['specversion 0.3', ['ce-specversion: 0.3', ...REQUIRED.slice(1)], '', 400, 'E_CE_SPECVERSION'],
    ['no CloudEvent', ['content-type: application/json'], '{}', 400, 'E_CE_NONE'],
    ['no body, no headers', [], '', 400, 'E_CE_NONE'],
    ['avro', ['content-type: application/cloudevents+avro'], 'x', 415, 'E_CE_UNSUPPORTED_MEDIA'],
    ['UTF-16', ['content-type: application/cloudevents+json; charset=utf-16'], EVENT, 415, 'E_CE_UNSUPPORTED_MEDIA'],
    ['gzip', [...REQUIRED, 'content-encoding: gzip'], 'x', 415, 'E_HTTP_ENCODING'],
    ['broken JSON', ['content-type: application/cloudevents+json'], '{"id":', 400, 'E_CE_JSON'],
    ['not UTF-8', ['content-type: application/cloudevents+json'], Buffer.from([0x22, 0xff, 0x22]), 400, 'E_CE_JSON'],
    ['deep JSON', ['content-type: application/cloudevents+json'], '['.repeat(200_000), 400, 'E_CE_JSON'],
    ['a batch that is none', ['content-type: application/cloudevents-batch+json'], EVENT, 400, 'E_CE_JSON'],
    ['more headers than are kept', Array.from({ length: 600 }, (_, n) => `ce-x${n}: 1`), '', 431, 'E_HTTP_HEADERS'],
    ['a header block too large', [`x: ${'x'.repeat(70_000)}`], '', 431, 'E_HTTP_HEADERS'],
  ])('%s', async (_what, headers, body, status, code) => {
    const answer = await send(headers, body);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(intake.received).toEqual([]);
    expect((await send(REQUIRED)).status).toBe(202);
  });

  test.each<[string, string, number, string]>([
    ['GET', 'GET /events HTTP/1.1', 405, 'E_HTTP_METHOD'],
    ['PUT', 'PUT /events HTTP/1.1', 405, 'E_HTTP_METHOD'],
    ['a method fastify does not know', 'PROPFIND /events HTTP/1.1', 405, 'E_HTTP_METHOD'],
    ['OPTIONS without a web hook', 'OPTIONS /events HTTP/1.1', 405, 'E_HTTP_METHOD'],
    ['another path', 'POST /event HTTP/1.1', 404, 'E_HTTP_NOT_FOUND'],
    ['a slash more', 'POST /events/ HTTP/1.1', 404, 'E_HTTP_NOT_FOUND'],
    ['__proto__', 'POST /__proto__ HTTP/1.1', 404, 'E_HTTP_NOT_FOUND'],
    ['a path that is none', 'POST /%zz HTTP/1.1', 400, 'E_HTTP_MALFORMED'],
    ['no HTTP', 'events please', 400, 'E_HTTP_MALFORMED'],
  ])('%s', async (_what, line, status, code) => {
    const answer = await send(REQUIRED, '', line);
    expect([answer.status, answer.code]).toEqual([status, code]);
    if (status === 405) expect(answer.head).toContain('\r\nallow: post');
  });

  test('HEAD is not GET in disguise', async () => {
    expect((await rawExchange(port(), 'HEAD /events HTTP/1.1\r\nhost: x\r\n\r\n')).slice(0, 12)).toBe('HTTP/1.1 405');
  });

  test.each<[string, string[], string | Buffer, Record<string, unknown>]>([
    ['Euro', [...REQUIRED, 'ce-subject: Euro%20%E2%82%AC%20%F0%9F%98%80'], '', { subject: 'Euro € 😀' }],
    ['quotes', [...REQUIRED, 'ce-subject: "a \\"b\\""'], '', { subject: 'a "b"' }],
    ['one round', [...REQUIRED, 'ce-subject: %2541'], '', { subject: '%41' }],
    ['a lone %', [...REQUIRED, 'ce-subject: 100%'], '', { subject: '100%' }],
    ['CE-MyExt', [...REQUIRED, 'CE-MyExt: v'], '', { extensions: { myext: 'v' } }],
    ['bytes, no type', REQUIRED, Buffer.from([0, 255]), { datacontenttype: undefined, data: Buffer.from([0, 255]) }],
    ['a type that is no media type', [...REQUIRED, 'content-type: whatever'], 'x', { datacontenttype: 'whatever' }],
    ['a type of a form', [...REQUIRED, 'content-type: multipart/form-data'], 'x', { data: Buffer.from('x') }],
    ['a JSON type, no JSON', [...REQUIRED, 'content-type: application/json'], '{', { data: Buffer.from('{') }],
    ['capitals', ['content-type: Application/CloudEvents+JSON;charset=UTF-8'], EVENT, { id: '1' }],
    [
      'time',
      [...REQUIRED, 'ce-time: 2024-05-01T12:00:00.123456789+02:00'],
      '',
      { time: '2024-05-01T12:00:00.123456789+02:00' },
    ],
    ['a query', REQUIRED, '', { id: '1' }],
  ])('is taken: %s', async (what, headers, body, expected) => {
    const line = what === 'a query' ? 'POST /events?x=1 HTTP/1.1' : undefined;
    expect(await send(headers, body, line)).toMatchObject({ status: 202, body: '' });
    expect(intake.events[0]?.event).toMatchObject(expected);
  });

  test('a chunked body, and requests that come together, in one batch and in order', async () => {
    const chunked = `POST /events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n${REQUIRED.join('\r\n')}\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`;
    const plain = (id: string) =>
      `POST /events HTTP/1.1\r\nhost: x\r\nce-id: ${id}\r\n${REQUIRED.filter((l) => !l.startsWith('ce-id')).join('\r\n')}\r\ncontent-length: 2\r\n\r\n${id}`;
    const text = await rawExchange(
      port(),
      chunked + plain('b2') + plain('c3'),
      (all) => all.split(' 202 ').length === 4,
    );
    expect(text.split(' 202 ').length).toBe(4);
    expect(intake.events.map(({ event }) => [event.id, String(event.data)])).toEqual([
      ['1', 'abc'],
      ['b2', 'b2'],
      ['c3', 'c3'],
    ]);
    expect(intake.batches).toBe(1);
  });

  test('native headers, ordering key and position go along; credentials and hop-by-hop headers do not', async () => {
    const own = ['X-Trace: a', 'x-trace: b', 'authorization: Bearer x', 'cookie: c', 'accept: */*', 'user-agent: u'];
    await send([...REQUIRED, 'ce-partitionkey: k', ...own]);
    const delivery = intake.events[0];
    expect(delivery?.orderingKey).toBe('k');
    expect(delivery?.meta).toEqual({
      position: { path: '/events', request: 1 },
      headers: Object.assign(Object.create(null), { 'x-trace': 'a' }),
    });
    expect(delivery?.attempt).toBe(1);
  });
});

describe('sizes', () => {
  afterEach(() => handle.close());
  const big = Buffer.alloc(1_500_000, 0x61);

  test('an event of more than 1 MiB is taken where it may be', async () => {
    await open({ maxEventBytes: 2_000_000 });
    expect((await send(REQUIRED, big)).status).toBe(202);
    expect(intake.events[0]?.event.data?.equals(big)).toBe(true);
  });

  test('one over maxEventBytes is 413, which the client gets to read, and the next one is taken', async () => {
    await open();
    const answer = await send(REQUIRED, big);
    expect([answer.status, answer.code]).toEqual([413, 'E_EVENT_TOO_LARGE']);
    expect((await send(REQUIRED, Buffer.alloc(1_048_576))).status).toBe(202);
  });

  test('a chunked one that turns out too large is 413 and ends the connection', async () => {
    await open({ maxEventBytes: 10 });
    const head = `POST /events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n${REQUIRED.join('\r\n')}\r\n\r\n`;
    const answer = answered(await rawExchange(port(), `${head}14\r\n${'a'.repeat(20)}\r\n`, () => false));
    expect([answer.status, answer.code]).toEqual([413, 'E_EVENT_TOO_LARGE']);
    expect(answer.head).toContain('connection: close');
  });

  test('batches: by bytes, by number and by each event', async () => {
    await open({ maxEventBytes: 300, maxBodyBytes: 1_000, maxBatch: 3 });
    const batch = (bodies: readonly string[]) =>
      send(['content-type: application/cloudevents-batch+json'], `[${bodies}]`);
    const large = EVENT.replace('}', `,"data":"${'x'.repeat(400)}"}`);
    expect((await batch([EVENT, EVENT, EVENT])).status).toBe(202);
    expect((await batch([EVENT, EVENT, EVENT, EVENT])).code).toBe('E_HTTP_BATCH_TOO_LARGE');
    expect((await batch([EVENT, large])).code).toBe('E_EVENT_TOO_LARGE');
    expect((await batch([large, large, large])).code).toBe('E_HTTP_BATCH_TOO_LARGE');
    expect(intake.received.length).toBe(3);
  });

  test('bodies under way are bounded over all requests', async () => {
    await open({}, { listen: { maxReadingBytes: 65_536 } });
    const answer = await send(REQUIRED, Buffer.alloc(200_000));
    expect([answer.status, answer.code]).toEqual([503, 'E_HTTP_BUSY']);
    expect(answer.head).toContain('retry-after: 1');
    expect((await send(REQUIRED, Buffer.alloc(1_000))).status).toBe(202);
  });
});

describe('what is not a CloudEvent', () => {
  afterEach(() => handle.close());

  test('is wrapped by `as`, data untouched', async () => {
    await open({
      as: {
        type: 'com.acme.{header.x-kind}',
        source: 'http:{path}',
        subject: '{method} {contenttype}',
        id: '{header.x-id}',
      },
    });
    const bytes = Buffer.from([0, 1, 255]);
    expect((await send(['x-kind: order', 'x-id: 7', 'content-type: application/x-own'], bytes)).status).toBe(202);
    const event = intake.events[0]?.event;
    expect(event).toMatchObject({
      type: 'com.acme.order',
      source: 'http:/events',
      subject: 'POST application/x-own',
      id: '7',
      datacontenttype: 'application/x-own',
      data: bytes,
    });
  });

  test('a template without its header is 400; credentials are no variable; CloudEvents stay what they are', async () => {
    await open({ as: { type: '{header.x-kind}', source: '/s', subject: '{header.authorization:-none}' } });
    expect((await send([])).code).toBe('E_WRAP');
    expect((await send(['x-kind: a', 'authorization: Bearer secret'])).status).toBe(202);
    expect((await send(REQUIRED)).status).toBe(202);
    const [first, second] = intake.events;
    expect(first?.event).toMatchObject({ type: 'a', subject: 'none' });
    expect(first?.event.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.event).toMatchObject({ type: 't', id: '1' });
  });
});

describe('the web hook handshake', () => {
  afterEach(() => handle.close());
  const ask = (...headers: string[]) => send(headers, '', 'OPTIONS /events HTTP/1.1');

  test('an allowed origin is told so, with its rate', async () => {
    await open({ webhook: { allowedOrigins: ['a.example', 'b.example'], allowedRate: 120 } });
    const { status, head } = await ask('WebHook-Request-Origin: b.example');
    expect(status).toBe(200);
    expect(head).toContain('webhook-allowed-origin: b.example');
    expect(head).toContain('webhook-allowed-rate: 120');
    expect(await ask('WebHook-Request-Origin: c.example')).toMatchObject({ status: 403, code: 'E_HTTP_ORIGIN' });
    expect(await ask()).toMatchObject({ status: 400, code: 'E_HTTP_ORIGIN' });
  });

  test('every origin, any rate', async () => {
    await open({ webhook: { allowedOrigins: ['*'] } });
    const { head } = await ask('WebHook-Request-Origin: any');
    expect(head).toContain('webhook-allowed-origin: *');
    expect(head).toContain('webhook-allowed-rate: *');
  });
});

test.each(['end', 'resetAndDestroy'] as const)(
  'a client gone in the middle of its body (%s) is counted',
  async (how) => {
    await open({ path: '/' });
    const one = source(handle);
    await one.open(intake, never);
    const text = `POST /events HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n${REQUIRED.join('\r\n')}\r\ncontent-length: 10\r\n\r\nabc`;
    const socket = connect(port(), '127.0.0.1', () => socket.write(text));
    socket.on('data', () => socket[how]()); // "100 Continue": the request has reached its source
    await eventually(() => one.health().detail?.['gone'] === 1);
    expect(intake.received).toEqual([]);
    await handle.close();
  },
);
