import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { kafka } from '../../../src/adapters/kafka/index.ts';
import { saslOptions } from '../../../src/adapters/kafka/sasl.ts';
import type { Clock } from '../../../src/core/clock.ts';

const parse = (sasl: object): ReturnType<typeof saslOptions> => saslOptions(config(sasl));
const config = (sasl: object): Parameters<typeof saslOptions>[0] =>
  (kafka.broker.parse({ brokers: ['a:1'], sasl }) as { sasl: Parameters<typeof saslOptions>[0] }).sasl;
const tokenOf = (options: ReturnType<typeof saslOptions>): Promise<string> =>
  (options as { oauthBearerProvider(): Promise<{ value: string }> }).oauthBearerProvider().then(({ value }) => value);

describe('sasl', () => {
  test('user and password for plain and scram', () => {
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
      expect(parse({ mechanism, username: 'u', password: 'p' })).toEqual({ mechanism, username: 'u', password: 'p' });
    }
  });

  test('exactly one source of the token', () => {
    const tokenEndpoint = { url: 'http://x/', clientId: 'c', clientSecret: 's' };
    for (const sasl of [{}, { tokenFile: '/f', tokenEndpoint }]) {
      expect(kafka.broker.safeParse({ brokers: ['a:1'], sasl: { mechanism: 'oauthbearer', ...sasl } }).success).toBe(
        false,
      );
    }
  });

  test('a token file is read at every authentication', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'token-'));
    const tokenFile = join(dir, 'token');
    const options = parse({ mechanism: 'oauthbearer', tokenFile });
    await expect(tokenOf(options)).rejects.toMatchObject({ code: 'E_KAFKA_TOKEN', unavailable: true });
    await writeFile(tokenFile, 'one\n');
    expect(await tokenOf(options)).toBe('one');
    await writeFile(tokenFile, 'two');
    expect(await tokenOf(options)).toBe('two');
    await rm(dir, { recursive: true });
  });
});

describe('client credentials', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function endpoint(
    answer: (count: number) => { status?: number; body: unknown },
  ): Promise<{ url: string; bodies: string[] }> {
    const bodies: string[] = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        bodies.push(body);
        const { status = 200, body: out } = answer(bodies.length);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(out));
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, bodies };
  }

  test('one request for all connections until shortly before the token expires', async () => {
    const { url, bodies } = await endpoint((n) => ({ body: { access_token: `t${n}`, expires_in: 100 } }));
    let now = 0;
    const clock = { now: () => now } as Clock;
    const tokenEndpoint = { url, clientId: 'id', clientSecret: 's&cret', scope: 'kafka' };
    const options = saslOptions(config({ mechanism: 'oauthbearer', tokenEndpoint }), clock);
    expect(await Promise.all([tokenOf(options), tokenOf(options)])).toEqual(['t1', 't1']);
    now = 89_000;
    expect(await tokenOf(options)).toBe('t1');
    now = 90_000;
    expect(await tokenOf(options)).toBe('t2');
    expect(Object.fromEntries(new URLSearchParams(bodies[0]))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'id',
      client_secret: 's&cret',
      scope: 'kafka',
    });
  });

  test('a refusal is an error without the secret', async () => {
    const { url } = await endpoint(() => ({ status: 401, body: {} }));
    const tokenEndpoint = { url, clientId: 'id', clientSecret: 'canary' };
    const failure = await tokenOf(parse({ mechanism: 'oauthbearer', tokenEndpoint })).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'E_KAFKA_TOKEN', message: 'token endpoint answered 401' });
    expect(JSON.stringify(failure)).not.toContain('canary');
  });
});
