import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpBroker } from '../../../src/adapters/http/broker.ts';
import { decodeHttp } from '../../../src/cloudevents/http.ts';
import { newExtensions } from '../../../src/core/event.ts';
import type { SendResult } from '../../../src/core/target.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { type Answer, broker, freePort, TestReceiver, target } from './fixture.ts';

const never = new AbortController().signal;
const notify = { available(): void {}, unavailable(): void {} };

let receiver: TestReceiver;
let handle: HttpBroker;

beforeEach(async () => {
  receiver = await new TestReceiver().start();
  handle = broker({ url: receiver.url });
});
afterEach(async () => {
  await handle.close();
  await receiver.stop();
});

async function opened(config: Parameters<typeof target>[1] = {}, own = handle) {
  const made = target(own, config);
  await made.open(notify, never);
  return made;
}

async function sendOne(config: Parameters<typeof target>[1] = {}, own = handle): Promise<SendResult> {
  const made = await opened(config, own);
  const [result] = await made.send([legOf(jsonEvent(1))], never);
  await made.close();
  return result as SendResult;
}

const FINAL = { status: 'failed', retryable: false, unavailable: false };
const AGAIN = { status: 'failed', retryable: true, unavailable: false };
const UNKNOWN = { status: 'unknown', retryable: true, unavailable: false };

describe('what a response means', () => {
  test.each([200, 201, 202, 204, 299])('%i confirms', async (status) => {
    receiver.answer = (_seen, response) => response.writeHead(status).end();
    expect(await sendOne()).toEqual({ status: 'confirmed' });
  });

  test.each<[number, object]>([
    [301, { ...FINAL, code: 'E_HTTP_REDIRECT' }],
    [307, { ...FINAL, code: 'E_HTTP_REDIRECT' }],
    [400, { ...FINAL, code: 'E_HTTP_REFUSED' }],
    [401, { ...FINAL, code: 'E_HTTP_DENIED' }],
    [403, { ...FINAL, code: 'E_HTTP_DENIED' }],
    [404, { ...FINAL, code: 'E_HTTP_REFUSED' }],
    [410, { ...FINAL, code: 'E_HTTP_GONE' }],
    [413, { ...FINAL, code: 'E_TOO_LARGE' }],
    [415, { ...FINAL, code: 'E_HTTP_REFUSED' }],
    [422, { ...FINAL, code: 'E_HTTP_REFUSED' }],
    [408, { ...AGAIN, code: 'E_HTTP_SERVICE' }],
    [425, { ...AGAIN, code: 'E_HTTP_SERVICE' }],
    [429, { ...AGAIN, code: 'E_HTTP_THROTTLED' }],
    [503, { ...AGAIN, code: 'E_HTTP_SERVICE' }],
    [500, { ...UNKNOWN, code: 'E_HTTP_SERVICE' }],
    [502, { ...UNKNOWN, code: 'E_HTTP_SERVICE' }],
    [504, { ...UNKNOWN, code: 'E_HTTP_SERVICE' }],
    [599, { ...UNKNOWN, code: 'E_HTTP_SERVICE' }],
  ])('%i', async (status, expected) => {
    receiver.answer = (_seen, response) =>
      response.writeHead(status, { location: `${receiver.url}/elsewhere` }).end('no');
    const result = await sendOne();
    expect(result).toMatchObject({ ...expected, message: expect.stringContaining(`status ${status}`) });
    expect(receiver.seen.length).toBe(1);
  });

  test.each<[string, number | undefined]>([
    ['7', 7_000],
    ['0', 0],
    ['soon', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    [new Date(Date.now() - 60_000).toUTCString(), 0],
  ])('Retry-After: %s', async (value, ms) => {
    receiver.answer = (_seen, response) => response.writeHead(503, { 'retry-after': value }).end();
    expect((await sendOne()) as object).toMatchObject({ status: 'failed', retryAfterMs: ms });
  });

  test('Retry-After as a date', async () => {
    receiver.answer = (_seen, response) =>
      response.writeHead(429, { 'retry-after': new Date(Date.now() + 90_000).toUTCString() }).end();
    const result = await sendOne();
    if (result.status === 'confirmed') throw new Error('it was not');
    expect(result.retryAfterMs).toBeGreaterThan(60_000);
    expect(result.retryAfterMs).toBeLessThanOrEqual(91_000);
  });

  test('after 410 nothing more is sent there, elsewhere it is', async () => {
    receiver.answer = (seen, response) => response.writeHead(seen.url === '/gone' ? 410 : 202).end();
    const made = await opened({ url: '/{subject}' });
    const send = async (subject: string) => (await made.send([legOf(jsonEvent(1, { subject }))], never))[0];
    expect(await send('gone')).toMatchObject({ ...FINAL, code: 'E_HTTP_GONE' });
    expect(await send('gone')).toMatchObject({ ...FINAL, code: 'E_HTTP_GONE' });
    expect(await send('here')).toEqual({ status: 'confirmed' });
    expect(receiver.seen.map(({ url }) => url)).toEqual(['/gone', '/here']);
    expect(made.health()).toMatchObject({ lastError: { code: 'E_HTTP_GONE' }, detail: { gone: 1 } });
  });

  test('informational responses are not the answer', async () => {
    receiver.answer = (_seen, response) => {
      response.writeProcessing();
      response.writeHead(202).end();
    };
    expect(await sendOne()).toEqual({ status: 'confirmed' });
  });

  test('an endless body neither delays nor fills anything', async () => {
    let stopped = false;
    receiver.answer = (_seen, response, request) => {
      response.writeHead(200);
      const more = (): void => {
        while (!stopped && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      request.socket.on('close', () => {
        stopped = true;
      });
      more();
    };
    const made = await opened();
    expect(await made.send([legOf(jsonEvent(1))], never)).toEqual([{ status: 'confirmed' }]);
    await eventually(() => stopped);
  });
});

describe('what no response means', () => {
  test('refused: nothing was sent, and the lane waits', async () => {
    const made = await opened();
    await receiver.stop();
    const results = await made.send([legOf(jsonEvent(1)), legOf(jsonEvent(2))], never);
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'failed',
        code: 'E_HTTP_UNREACHABLE',
        retryable: true,
        unavailable: true,
      });
    }
    expect(made.health()).toMatchObject({ status: 'down', lastError: { code: 'E_HTTP_UNREACHABLE' } });
  });

  test('a name that does not resolve', async () => {
    const own = broker({ url: 'http://no-such-host.invalid' });
    const [item] = await target(own).check();
    expect(item).toMatchObject({ ok: false, code: 'E_HTTP_UNREACHABLE' });
    await own.close();
  });

  test.each<[string, Answer]>([
    ['a reset', (_seen, _response, request) => request.socket.resetAndDestroy()],
    ['a close', (_seen, _response, request) => request.socket.end()],
  ])('%s after the request: unknown', async (_what, answer) => {
    receiver.answer = answer;
    expect(await sendOne()).toMatchObject({ ...UNKNOWN, code: 'E_HTTP_CONNECTION_LOST' });
    expect(receiver.seen.length).toBe(1); // the client does not repeat on its own
  });

  test('what is not HTTP: unknown', async () => {
    receiver.answer = (_seen, _response, request) => request.socket.end('hello\r\n\r\n');
    expect(await sendOne()).toMatchObject({ ...UNKNOWN, code: 'E_HTTP_RESPONSE' });
  });

  test('a timeout: unknown, and the connection is given up', async () => {
    let closed = false;
    receiver.answer = (_seen, _response, request) => {
      request.socket.on('close', () => {
        closed = true;
      });
    };
    const made = await opened();
    const abort = new AbortController();
    const sent = made.send([legOf(jsonEvent(1))], abort.signal);
    await eventually(() => receiver.seen.length === 1);
    abort.abort();
    expect((await sent)[0]).toMatchObject({ ...UNKNOWN, code: 'E_HTTP_TIMEOUT' });
    await eventually(() => closed);
  });

  test('a timeout before a connection was free: nothing was sent', async () => {
    receiver.answer = () => undefined;
    const own = broker({ url: receiver.url, connections: 1 });
    const made = await opened({}, own);
    const abort = new AbortController();
    const sent = made.send([legOf(jsonEvent(1)), legOf(jsonEvent(2))], abort.signal);
    await eventually(() => receiver.seen.length === 1);
    abort.abort();
    const [first, second] = await sent;
    expect(first).toMatchObject({ status: 'unknown', code: 'E_HTTP_TIMEOUT' });
    expect(second).toMatchObject({ status: 'failed', code: 'E_HTTP_TIMEOUT', unavailable: true });
    await own.close();
    expect(receiver.seen.length).toBe(1);
  });

  test('open waits for the receiver, health says why, and abort ends it', async () => {
    const port = await freePort();
    const own = broker({ url: `http://127.0.0.1:${port}` });
    const made = target(own);
    const abort = new AbortController();
    const opening = made.open(notify, abort.signal);
    await eventually(() => made.health().lastError?.code === 'E_HTTP_UNREACHABLE');
    expect(made.health().status).toBe('down');
    abort.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await own.close();
  });

  test('close lets running requests end', async () => {
    const answers: (() => void)[] = [];
    receiver.answer = (_seen, response) => answers.push(() => response.writeHead(202).end());
    const made = await opened();
    const sent = made.send([legOf(jsonEvent(1))], never);
    await eventually(() => answers.length === 1);
    const closed = made.close();
    answers[0]?.();
    expect(await sent).toEqual([{ status: 'confirmed' }]);
    await closed;
    expect((await made.send([legOf(jsonEvent(2))], never))[0]).toMatchObject({
      code: 'E_HTTP_CLOSED',
      unavailable: true,
    });
  });
});

describe('what a request carries', () => {
  test('token and headers of broker and target; the target wins', async () => {
    const own = broker({ url: receiver.url, token: 'broker-token', requestHeaders: { 'X-Api-Key': 'a', 'x-b': 'b' } });
    await sendOne({ requestHeaders: { 'x-api-key': 'c' } }, own);
    await sendOne({ token: 'own-token' }, own);
    const [first, second] = receiver.seen;
    expect(first?.headers).toMatchObject({ authorization: 'Bearer broker-token', 'x-api-key': 'c', 'x-b': 'b' });
    expect(second?.headers.authorization).toBe('Bearer own-token');
    expect(first?.headers['user-agent']).toBe('fairlead');
    await own.close();
  });

  test('native headers that HTTP can carry and that are nobody else’s; the rest is counted', async () => {
    const headers = {
      'x-trace': 'a',
      'X-Bytes': Buffer.from('b'),
      'x-uni': 'ü',
      'x-crlf': 'a\r\nce-id: evil',
      'bad name': 'x',
      'content-type': 'evil/type',
      'ce-id': 'evil',
      authorization: 'Bearer evil',
      host: 'evil',
      'transfer-encoding': 'chunked',
      ['__proto__x']: 'ok',
    };
    const leg = legOf(jsonEvent(1), { meta: { position: { test: 1 }, headers } });
    const made = await opened({ token: 't' });
    const plain = await opened({ headers: 'drop' });
    expect(await made.send([leg], never)).toEqual([{ status: 'confirmed' }]);
    expect(await plain.send([leg], never)).toEqual([{ status: 'confirmed' }]);
    const [passed, dropped] = receiver.seen;
    expect(passed?.headers).toMatchObject({ 'x-trace': 'a', 'x-bytes': 'b', authorization: 'Bearer t' });
    expect(passed?.headers['x-uni']).toBeUndefined();
    expect(passed?.headers['x-crlf']).toBeUndefined();
    expect(passed?.headers['content-type']).toBe('application/json');
    expect(decodeHttp(passed?.rawHeaders ?? [], passed?.body ?? Buffer.alloc(0)).events[0]?.id).toBe(leg.event.id);
    expect(made.health().detail?.['headersDropped']).toBe(8);
    expect(dropped?.headers['x-trace']).toBeUndefined();
    expect(plain.health().detail?.['headersDropped']).toBe(11);
  });

  test('an event without data has no body and no Content-Type', async () => {
    const made = await opened();
    await made.send([legOf(jsonEvent(1, { data: undefined, datacontenttype: undefined }))], never);
    expect(receiver.seen[0]?.headers['content-type']).toBeUndefined();
    expect(receiver.seen[0]?.headers['content-length']).toBe('0');
  });

  test('2 MiB', async () => {
    const made = await opened();
    const data = Buffer.alloc(2 ** 21, 0x62);
    expect(await made.send([legOf(jsonEvent(1, { data }))], never)).toEqual([{ status: 'confirmed' }]);
    expect(receiver.seen[0]?.body.equals(data)).toBe(true);
  });
});

test('idle connections are used again, and never more than `connections`', async () => {
  const sockets = new Set<unknown>();
  receiver.answer = (_seen, response, request) => {
    sockets.add(request.socket);
    setImmediate(() => response.writeHead(202).end());
  };
  const own = broker({ url: receiver.url, connections: 3 });
  const made = await opened({}, own);
  expect(made.limits).toEqual({ maxEvents: 1, maxBytes: 2 ** 20, concurrency: 3 });
  for (let round = 0; round < 5; round += 1) {
    await made.send(
      Array.from({ length: 12 }, (_, n) => legOf(jsonEvent(n))),
      never,
    );
  }
  expect(receiver.seen.length).toBe(60);
  expect(sockets.size).toBeLessThanOrEqual(3);
  await own.close();
});

test('an attribute cannot smuggle a header or a second request', async () => {
  const made = await opened();
  const evil = 'x\r\nx-evil: 1\r\n\r\nPOST /evil HTTP/1.1';
  const event = jsonEvent(1, { subject: evil, extensions: Object.assign(newExtensions(), { ext: evil }) });
  await made.send([legOf(event)], never);
  expect(receiver.seen.length).toBe(1);
  expect(receiver.seen[0]?.headers['x-evil']).toBeUndefined();
  const type = jsonEvent(2, { datacontenttype: `text/plain\r\nx-evil: 1` });
  expect((await made.send([legOf(type)], never))[0]).toMatchObject({ ...FINAL, code: 'E_CE_INVALID_ATTRIBUTE' });
  const raw = await opened({ encoding: 'raw' });
  expect((await raw.send([legOf(type)], never))[0]).toMatchObject({ ...FINAL, code: 'E_CE_INVALID_ATTRIBUTE' });
});
