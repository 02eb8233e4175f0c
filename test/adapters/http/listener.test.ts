import { describe, expect, test } from 'vitest';
import type { HttpBroker } from '../../../src/adapters/http/broker.ts';
import { http } from '../../../src/adapters/http/index.ts';
import type { LintFinding } from '../../../src/adapters/spec.ts';
import { ACK } from '../../../src/core/delivery.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { broker, freePort, source, TestReceiver, target } from './fixture.ts';
import { testTls } from './tls.ts';

const EVENT = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' };
const never = new AbortController().signal;
const notify = { available(): void {}, unavailable(): void {} };

function taking(): HoldingIntake {
  const intake = new HoldingIntake();
  intake.onArrival = ACK;
  return intake;
}

const post = (handle: HttpBroker, headers: Record<string, string> = {}, path = '/events') =>
  fetch(`${handle.address()?.url}${path}`, { method: 'POST', headers: { ...EVENT, ...headers } });

describe('who may send', () => {
  test.each<[string, string | undefined, number]>([
    ['the token', 'Bearer s3cret-token', 202],
    ['the scheme in any case', 'bearer s3cret-token', 202],
    ['nothing', undefined, 401],
    ['another token', 'Bearer s3cret-tokem', 401],
    ['a shorter one', 'Bearer s3cret', 401],
    ['a longer one', 'Bearer s3cret-token-', 401],
    ['another scheme', 'Basic s3cret-token', 401],
    ['an empty one', 'Bearer ', 401],
  ])('%s', async (_what, authorization, status) => {
    const handle = broker({ listen: { token: 's3cret-token' } });
    const intake = taking();
    const one = source(handle);
    await one.open(intake, never);
    const response = await post(handle, authorization === undefined ? {} : { authorization });
    expect(response.status).toBe(status);
    expect(intake.received.length).toBe(status === 202 ? 1 : 0);
    if (status === 401) {
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ status: 401, code: 'E_HTTP_UNAUTHORIZED' });
      expect(text).not.toContain('s3cret');
      expect(one.health().detail?.['unauthorized']).toBe(1);
      // who may not send learns nothing of the paths either, and a token in the URL is none
      expect((await post(handle, {}, '/other')).status).toBe(401);
      expect((await post(handle, {}, '/events?access_token=s3cret-token')).status).toBe(401);
    }
    await handle.close();
  });

  test.each(['0.0.0.0', '::', '192.0.2.1', 'example.com'])(
    'off loopback (%s) nothing starts without a token',
    async (host) => {
      const handle = broker({ listen: { host } });
      const one = source(handle);
      await expect(one.open(taking(), never)).rejects.toMatchObject({ code: 'E_HTTP_NO_TOKEN', retryable: false });
      expect(await one.check()).toMatchObject([{ ok: false, code: 'E_HTTP_NO_TOKEN' }]);
      expect(handle.address()).toBeUndefined();
      await handle.close();
    },
  );

  test('with one it does', async () => {
    const handle = broker({ listen: { host: '0.0.0.0', token: 't' } });
    await source(handle).open(taking(), never);
    expect(handle.address()?.host).toBe('0.0.0.0');
    await handle.close();
  });
});

describe('ports and paths', () => {
  test('a taken port says so; with portFallback the next one is taken', async () => {
    const other = await new TestReceiver().start();
    const { port } = other;
    const strict = broker({ listen: { port } });
    await expect(source(strict).open(taking(), never)).rejects.toMatchObject({ code: 'E_HTTP_LISTEN' });
    const fallback = broker({ listen: { port, portFallback: true } });
    const one = source(fallback);
    await one.open(taking(), never);
    expect(fallback.address()?.port).toBeGreaterThan(port);
    expect(one.health().detail?.['url']).toBe(`${fallback.address()?.url}/events`);
    expect((await post(fallback)).status).toBe(202);
    await fallback.close();
    await strict.close();
    await other.stop();
  });

  test('several sources share one server, each with its path; two with one path do not', async () => {
    const handle = broker();
    const [a, b] = [taking(), taking()];
    await Promise.all([source(handle, { path: '/a' }).open(a, never), source(handle, { path: '/b/c' }).open(b, never)]);
    expect((await post(handle, { 'ce-id': 'one' }, '/a')).status).toBe(202);
    expect((await post(handle, { 'ce-id': 'two' }, '/b/c')).status).toBe(202);
    expect([a.ids(), b.ids()]).toEqual([['one'], ['two']]);
    await expect(source(handle, { path: '/a' }).open(taking(), never)).rejects.toMatchObject({
      code: 'E_HTTP_PATH_TAKEN',
    });
    expect((await post(handle, {}, '/a')).status).toBe(202);
    await handle.close();
  });

  test('connections are bounded', async () => {
    const handle = broker({ listen: { maxConnections: 2 } });
    await source(handle).open(taking(), never);
    const { connect } = await import('node:net');
    const sockets = Array.from({ length: 3 }, () => connect(handle.address()?.port as number, '127.0.0.1'));
    const closed = new Set<unknown>();
    for (const socket of sockets)
      socket
        .resume()
        .on('error', () => undefined)
        .on('close', () => closed.add(socket));
    await eventually(() => closed.size === 1);
    await handle.close();
    await eventually(() => closed.size === 3);
  });
});

describe('TLS', () => {
  const tls = testTls();

  test('events by https, and web hooks to it', async () => {
    const handle = broker({ listen: { tls: { cert: tls.cert, key: tls.key } } });
    const intake = taking();
    await source(handle).open(intake, never);
    const { url } = handle.address() as { url: string };
    expect(url).toMatch(/^https:/);
    const client = broker({ url: `${url}/events`, tls: { ca: tls.ca } });
    const made = target(client);
    await made.open(notify, never);
    expect(await made.send([legOf(jsonEvent(1))], never)).toEqual([{ status: 'confirmed' }]);
    expect(intake.received.length).toBe(1);
    const stranger = broker({ url });
    expect(await target(stranger).check()).toMatchObject([{ ok: false, code: 'E_HTTP_TLS' }]);
    await Promise.all([client.close(), stranger.close(), handle.close()]);
  });

  test('client certificates', async () => {
    const handle = broker({ listen: { host: '0.0.0.0', tls: { cert: tls.cert, key: tls.key, clientCa: tls.ca } } });
    await source(handle).open(taking(), never);
    const url = `https://127.0.0.1:${handle.address()?.port}/events`;
    const send = async (own: object) => {
      const client = broker({ url, tls: { ca: tls.ca, ...own } });
      const made = target(client);
      const opening = new AbortController();
      await made.open(notify, opening.signal);
      const [result] = await made.send([legOf(jsonEvent(1))], never);
      await client.close();
      return result;
    };
    expect(await send({ cert: tls.cert, key: tls.key })).toEqual({ status: 'confirmed' });
    expect((await send({}))?.status).not.toBe('confirmed');
    await handle.close();
  });

  test('files that are missing or none', async () => {
    const missing = broker({ listen: { tls: { cert: '/no/such/file', key: tls.key } } });
    await expect(source(missing).open(taking(), never)).rejects.toMatchObject({ code: 'E_HTTP_TLS_FILE' });
    const wrong = broker({ listen: { tls: { cert: import.meta.filename, key: tls.key } } });
    await expect(source(wrong).open(taking(), never)).rejects.toMatchObject({ code: 'E_HTTP_TLS_FILE' });
    const client = broker({ url: 'https://127.0.0.1:1', tls: { ca: '/no/such/file' } });
    expect(await target(client).check()).toMatchObject([{ ok: false, code: 'E_HTTP_TLS_FILE' }]);
  });
});

test('a slow request is cut off', async () => {
  const handle = broker({ listen: { port: await freePort(), requestTimeout: '300ms' } });
  await source(handle).open(taking(), never);
  const { rawExchange } = await import('./fixture.ts');
  const text = await rawExchange(handle.address()?.port as number, 'POST /events HTTP/1.1\r\nhost: x\r\n', () => false);
  expect(text).toContain('HTTP/1.1 408');
  expect(text).toContain('E_HTTP_SLOW');
  await handle.close();
});

describe('lint', () => {
  const parse = (schema: { parse(value: unknown): unknown } | undefined, value: object) =>
    (schema as { parse(value: unknown): unknown }).parse(value) as Record<string, unknown>;
  const lint = (kind: 'broker' | 'source' | 'target', config: object, own: object = {}): readonly LintFinding[] => {
    const entry = parse(http.broker, kind === 'broker' ? config : own);
    if (kind === 'broker') return http.lint?.({ kind, config: entry, broker: entry }) ?? [];
    const schema = kind === 'source' ? http.source?.schema : http.target?.schema;
    const common = { maxEventBytes: 1_048_576, ...('encoding' in config ? { encoding: config.encoding } : {}) };
    const { encoding: _encoding, ...rest } = config as { encoding?: string };
    return http.lint?.({ kind, config: { ...common, ...parse(schema, rest) }, broker: entry }) ?? [];
  };
  const codes = (findings: readonly LintFinding[]) => findings.map(({ severity, code }) => `${severity} ${code}`);

  test('what is right is silent', () => {
    expect(lint('broker', {})).toEqual([]);
    expect(lint('source', {})).toEqual([]);
    expect(lint('target', { url: 'https://a.example/x' })).toEqual([]);
    expect(lint('target', { batched: true, url: 'http://127.0.0.1/x', token: 't' })).toEqual([]);
  });

  test.each<['broker' | 'source' | 'target', object, object, string[]]>([
    ['broker', { listen: { host: '0.0.0.0' } }, {}, ['error E_HTTP_NO_TOKEN']],
    ['broker', { listen: { host: '0.0.0.0', token: 't' } }, {}, ['warning W_HTTP_PLAIN']],
    ['source', { maxBodyBytes: 10 }, {}, ['warning W_HTTP_BODY_BYTES']],
    ['target', {}, {}, ['error E_HTTP_URL']],
    ['target', { url: 'http://{x}/' }, {}, ['error E_HTTP_URL']],
    ['target', { url: 'http://{x}/' }, { allowHosts: ['a.example'] }, []],
    ['target', { url: 'http://a.example/', token: 't' }, {}, ['warning W_HTTP_PLAIN']],
    [
      'target',
      { url: '/x', requestHeaders: { 'ce-id': '1' } },
      { url: 'http://a.example' },
      ['warning W_HTTP_PLAIN', 'error E_HTTP_HEADER'],
    ],
    ['target', { url: 'https://a.example/', requestHeaders: { x: 'a\r\nb' } }, {}, ['error E_HTTP_HEADER']],
    [
      'target',
      { url: 'https://a.example/{type}', batched: true, encoding: 'raw' },
      {},
      ['error E_HTTP_BATCHED', 'error E_HTTP_BATCHED'],
    ],
  ])('%s %o', (kind, config, own, expected) => expect(codes(lint(kind, config, own))).toEqual(expected));

  test('ack: spooled is understood and not available yet', () => {
    const result = http.source?.schema.safeParse({ ack: 'spooled' });
    expect(result?.error?.issues[0]?.message).toMatch(/not available yet/);
  });
});
