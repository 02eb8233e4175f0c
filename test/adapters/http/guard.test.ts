import type { lookup } from 'node:dns';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { guardedLookup, isBlocked } from '../../../src/adapters/http/guard.ts';
import { compileUrl } from '../../../src/adapters/http/url.ts';
import { jsonEvent } from '../../setup/events.ts';
import { broker, target } from './fixture.ts';

const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  'fd00:ec2::254',
  'FD00:0EC2:0:0:0:0:0:254',
  'fe80::a9fe:a9fe',
  'fe80::1%eth0',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::169.254.169.254',
  '::169.254.169.254',
];

describe('the addresses of metadata services', () => {
  test.each(METADATA)('%s is blocked', (address) => expect(isBlocked(address)).toBe(true));

  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '192.168.1.1',
    '8.8.8.8',
    '::1',
    'fd00::1',
    '64:ff9b::808:808',
    '2001:db8::1',
    'x',
  ])('%s is not', (address) => expect(isBlocked(address)).toBe(false));

  // every spelling that the URL parser makes an address of; `connect.lookup` is never called for these
  test.each([
    'http://169.254.169.254/latest',
    'http://2852039166/',
    'http://0xA9FEA9FE/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://[::ffff:169.254.169.254]/',
    'http://[fd00:ec2::254]/',
    'https://169.254.169.254/',
  ])('%s is never connected to', async (url) => {
    const handle = broker({ url });
    const made = target(handle);
    expect(await made.check()).toMatchObject([{ ok: false, code: 'E_HTTP_ADDRESS_BLOCKED' }]);
    const opening = made.open({ available() {}, unavailable() {} }, new AbortController().signal);
    await expect(opening).rejects.toMatchObject({
      code: 'E_HTTP_ADDRESS_BLOCKED',
      retryable: false,
      unavailable: false,
    });
    await handle.close();
  });

  test('a name that resolves to one is refused, whichever answer it is', async () => {
    const look = promisify(guardedLookup as unknown as typeof lookup);
    await expect(look('169.254.169.254', {})).rejects.toMatchObject({ code: 'E_HTTP_ADDRESS_BLOCKED' });
    await expect(look('fe80::1', { all: true })).rejects.toMatchObject({ code: 'E_HTTP_ADDRESS_BLOCKED' });
    await expect(look('no-such-host.invalid', {})).rejects.toMatchObject({ syscall: 'getaddrinfo' });
    expect(await look('127.0.0.1', { all: true })).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });
});

describe('urls', () => {
  const event = jsonEvent(1, { type: 'com.acme.order', subject: 'a/b' });
  const address = (url: string | undefined, base?: string, hosts?: string[]) =>
    compileUrl(url, base, hosts).address(event);

  test.each<[string | undefined, string | undefined, string, string]>([
    ['http://a.example/x?y=1', undefined, 'http://a.example', '/x?y=1'],
    ['/hooks', 'https://a.example:8443/v1/', 'https://a.example:8443', '/v1/hooks'],
    [undefined, 'http://a.example', 'http://a.example', '/'],
    ['/{type}/in', 'http://a.example', 'http://a.example', '/com.acme.order/in'],
    ['/v1/{type}.json?k=1', 'http://a.example/b', 'http://a.example', '/b/v1/com.acme.order.json?k=1'],
    ['/{none:-x}', 'http://a.example', 'http://a.example', '/x'],
    ['http://[::1]:8080/x', undefined, 'http://[::1]:8080', '/x'],
  ])('%s under %s', (url, base, origin, path) => expect(address(url, base)).toEqual({ origin, path }));

  test.each<[string, string | undefined, string | undefined]>([
    ['nothing', undefined, undefined],
    ['a path under nothing', '/x', undefined],
    ['another scheme', 'ftp://a.example/', undefined],
    ['credentials', 'http://u:p@a.example/', undefined],
    ['a fragment', 'http://a.example/#x', undefined],
    ['a template in the query', 'http://a.example/?x={type}', undefined],
    ['a template in the scheme', '{type}://a.example/', undefined],
    ['a template in the host', 'http://{type}/', undefined],
    ['no host', 'http:///x', undefined],
    ['a bad host', 'http://a b/', undefined],
  ])('never an address: %s', (_what, url, base) => {
    expect(() => compileUrl(url, base)).toThrow(expect.objectContaining({ code: 'E_HTTP_URL' }));
  });

  test.each([
    '../x',
    'a/b',
    '..',
    '.',
    'a?b',
    'a#b',
    'a%2fb',
    'a\\b',
    'a\r\nb',
    'ü',
    '',
    'x'.repeat(129),
    'a b',
    '+',
    '*',
  ])('an attribute %j makes no path segment', (type) => {
    // an empty type cannot be, an empty extension can
    const evil = jsonEvent(1, { subject: type });
    const call = () => compileUrl('/{subject}', 'http://a.example').address(evil);
    expect(call).toThrow(expect.objectContaining({ code: 'E_HTTP_URL', retryable: false }));
  });

  test('a missing attribute makes no address', () => {
    expect(() => address('/{none}', 'http://a.example')).toThrow(/has no none/);
  });

  test('a templated host leads only where it may', () => {
    const url = compileUrl('https://{subject}.example/{type}', undefined, ['EU.example', 'us.example:8443']);
    const to = (subject: string) => () => url.address(event.with({ subject }));
    expect(url.origin).toBeUndefined();
    expect(to('eu')()).toEqual({ origin: 'https://eu.example', path: '/com.acme.order' });
    expect(to('evil')).toThrow(expect.objectContaining({ code: 'E_HTTP_HOST_NOT_ALLOWED' }));
    expect(to('us')).toThrow(expect.objectContaining({ code: 'E_HTTP_HOST_NOT_ALLOWED' }));
    expect(to('eu.example@evil')).toThrow(expect.objectContaining({ code: 'E_HTTP_URL' }));
    expect(to('127.0.0.1:80/#')).toThrow(expect.objectContaining({ code: 'E_HTTP_URL' }));
  });
});
