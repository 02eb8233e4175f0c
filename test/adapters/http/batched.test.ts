import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpBroker } from '../../../src/adapters/http/broker.ts';
import { decodeHttp } from '../../../src/cloudevents/http.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { jsonEvent } from '../../setup/events.ts';
import { type Answer, broker, TestReceiver, target } from './fixture.ts';

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

async function opened(config: Parameters<typeof target>[1] = {}) {
  const made = target(handle, config);
  await made.open(notify, never);
  return made;
}

describe('batched', () => {
  test('several events in one request', async () => {
    const made = await opened({ batched: true });
    const events = [jsonEvent(1), jsonEvent(2), jsonEvent(3)];
    expect(
      await made.send(
        events.map((event) => legOf(event)),
        never,
      ),
    ).toEqual(Array(3).fill({ status: 'confirmed' }));
    expect(receiver.seen.length).toBe(1);
    const { rawHeaders, body } = receiver.seen[0] as (typeof receiver.seen)[number];
    const { mode, events: read } = decodeHttp(rawHeaders, body);
    expect([mode, read.map(({ id }) => id)]).toEqual(['batch', events.map(({ id }) => id)]);
  });

  test('a refused one is found by halves, and the others pass', async () => {
    receiver.answer = ({ body }, response) => response.writeHead(body.includes('"poison"') ? 422 : 202).end();
    const made = await opened({ batched: true });
    const legs = Array.from({ length: 8 }, (_, n) => legOf(jsonEvent(n, n === 5 ? { subject: 'poison' } : {})));
    const results = await made.send(legs, never);
    expect(results.map(({ status }) => status)).toEqual(legs.map((_, n) => (n === 5 ? 'failed' : 'confirmed')));
  });

  test('a busy receiver is not asked for every half', async () => {
    receiver.answer = (_seen, response) => response.writeHead(503).end();
    const made = await opened({ batched: true });
    const results = await made.send([legOf(jsonEvent(1)), legOf(jsonEvent(2))], never);
    expect(results).toMatchObject([
      { status: 'failed', retryable: true },
      { status: 'failed', retryable: true },
    ]);
    expect(receiver.seen.length).toBe(1);
  });

  test.each([{ url: '/{type}' }, { encoding: 'raw' as const }, { encoding: 'binary' as const }])(
    'not with %o',
    (config) => {
      expect(() => target(handle, { batched: true, ...config })).toThrow(
        expect.objectContaining({ code: 'E_HTTP_BATCHED' }),
      );
    },
  );
});

describe('the web hook handshake', () => {
  const allowing =
    (origin: string, rate?: string): Answer =>
    (seen, response) => {
      if (seen.method !== 'OPTIONS') response.writeHead(202).end();
      else
        response
          .writeHead(200, { 'webhook-allowed-origin': origin, ...(rate ? { 'webhook-allowed-rate': rate } : {}) })
          .end();
    };

  test('permission is asked for before the first event', async () => {
    receiver.answer = allowing('me.example', '120');
    const made = await opened({ url: '/hook', webhook: { origin: 'me.example' }, token: 't' });
    expect(receiver.seen).toMatchObject([
      {
        method: 'OPTIONS',
        url: '/hook',
        headers: { 'webhook-request-origin': 'me.example', authorization: 'Bearer t' },
      },
    ]);
    expect(made.health()).toMatchObject({ status: 'up', detail: { allowedRate: '120' } });
    expect(await made.send([legOf(jsonEvent(1))], never)).toEqual([{ status: 'confirmed' }]);
  });

  test.each<[string, Answer]>([
    ['another origin', allowing('you.example')],
    ['no such method', (_seen, response) => response.writeHead(405).end()],
    ['200 and nothing more', (_seen, response) => response.writeHead(200).end()],
  ])('refused: %s', async (_what, answer) => {
    receiver.answer = answer;
    const made = target(handle, { webhook: { origin: 'me.example' } });
    await expect(made.open(notify, never)).rejects.toMatchObject({ code: 'E_HTTP_WEBHOOK_REFUSED' });
  });

  test('a busy receiver is asked again', async () => {
    let asked = 0;
    receiver.answer = (seen, response, request) => {
      asked += 1;
      if (asked === 1) response.writeHead(503).end();
      else allowing('*')(seen, response, request);
    };
    await opened({ webhook: { origin: 'me.example' } });
    expect(asked).toBe(2);
  });
});
