import { describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../../src/core/event.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { never, opened, rawClient, send, statuses } from './open-target.ts';

describe('mandatory', () => {
  test('an unroutable event has failed although the broker confirms it; the others are confirmed', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const exchange = await raw.exchange('direct');
    await raw.channel.bindQueue(queue, exchange, 'bound');
    const { target } = await opened({ exchange, routingKey: '{type}' });
    const types = ['bound', 'lost', 'lost', 'bound', 'lost', 'bound'];
    const results = await send(
      target,
      types.map((type, n) => jsonEvent(n, { type })),
    );
    expect(statuses(results)).toEqual(types.map((type) => (type === 'bound' ? 'confirmed' : 'failed')));
    expect(results[1]).toMatchObject({ code: 'E_RABBITMQ_UNROUTABLE', retryable: true });
    expect(target.health().detail).toMatchObject({ returned: 3, strayReturns: 0, inFlight: 0 });
    await eventually(async () => (await raw.depth(queue)) === 3);
  });

  test('the same id many times, in one batch and in several at once: every return finds its own leg', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const exchange = await raw.exchange('headers');
    await raw.channel.bindQueue(queue, exchange, '', { 'x-match': 'all', cloudEvents_keep: 'yes' });
    const { target } = await opened({ exchange });
    // Same id, routing key and source; only the body and the header that routes differ.
    const event = (n: number, keep: boolean): MeshEvent =>
      jsonEvent(n, { id: 'same', data: Buffer.from(`${n}`), extensions: extensions({ keep: keep ? 'yes' : 'no' }) });
    const pattern = (n: number): boolean => n % 3 === 0 || n % 7 === 1;
    const batches = Array.from({ length: 4 }, (_, b) => Array.from({ length: 50 }, (_, n) => b * 50 + n));
    const results = await Promise.all(
      batches.map((batch) =>
        send(
          target,
          batch.map((n) => event(n, pattern(n))),
        ),
      ),
    );
    expect(statuses(results.flat())).toEqual(batches.flat().map((n) => (pattern(n) ? 'confirmed' : 'failed')));
    const arrived = (await raw.take(queue, 1)).map(({ content }) => Number(content.toString()));
    expect(arrived).toEqual(batches.flat().filter(pattern));
  });

  test('structured and raw events are matched as well', async () => {
    const raw = await rawClient();
    const exchange = await raw.exchange('direct');
    for (const encoding of ['structured', 'raw'] as const) {
      const { target } = await opened({ exchange, encoding });
      const results = await send(target, [jsonEvent(1), jsonEvent(2, { data: undefined, id: 'x'.repeat(300) })]);
      expect(statuses(results)).toEqual(['failed', 'failed']);
      expect(target.health().detail).toMatchObject({ returned: 2, strayReturns: 0 });
    }
  });
});

describe('what one event must not do to the others', () => {
  test('a header table over 64 KiB fails for good and alone', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { target } = await opened({ queue });
    const big = jsonEvent(2, { extensions: extensions({ big: 'x'.repeat(70_000) }) });
    const results = await send(target, [jsonEvent(1), big, jsonEvent(3)]);
    expect(statuses(results)).toEqual(['confirmed', 'failed', 'confirmed']);
    expect(results[1]).toMatchObject({ code: 'E_RABBITMQ_HEADERS', retryable: false });
    expect(target.health().status).toBe('up');
    await eventually(async () => (await raw.depth(queue)) === 2);
  });

  test('a body over maxBytes, a content type and a routing key over 255 bytes', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const exchange = await raw.exchange('fanout');
    await raw.channel.bindQueue(queue, exchange, '');
    const { target } = await opened({ exchange, routingKey: '{subject:-none}', maxBytes: 100 });
    const small = Buffer.from('1');
    const results = await send(target, [
      jsonEvent(1, { data: Buffer.alloc(101) }),
      jsonEvent(2, { data: small, datacontenttype: `text/${'x'.repeat(300)}` }),
      jsonEvent(3, { data: small, subject: 'é'.repeat(128) }),
      jsonEvent(4, { data: small, subject: 'a.#' }),
      jsonEvent(5, { data: small }),
    ]);
    expect(results.map((result) => (result.status === 'confirmed' ? 'confirmed' : result.code))).toEqual([
      'E_RABBITMQ_TOO_LARGE',
      'E_RABBITMQ_HEADERS',
      'E_RABBITMQ_ROUTING_KEY',
      'E_RABBITMQ_ROUTING_KEY',
      'confirmed',
    ]);
    const [message] = await raw.take(queue, 1);
    expect(message?.fields.routingKey).toBe('none');
  });

  test('native headers pass where they may; those that steer the broker stay behind, counted', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const other = await raw.queue();
    const { target } = await opened({ queue, headers: 'pass' });
    const headers = {
      CC: other,
      'x-death': 'forged',
      ce_id: 'mine',
      'ce-id': 'forged',
      'cloudEvents:type': 'forged',
      'correlation-id': 'c-1',
      bytes: Buffer.from([0, 255]),
      ['x'.repeat(256)]: 'too long',
    };
    const leg = legOf(jsonEvent(1), { meta: { position: {}, headers } });
    expect(statuses(await target.send([leg], never))).toEqual(['confirmed']);
    const [message] = await raw.take(queue, 1);
    expect(message?.properties).toMatchObject({
      correlationId: 'c-1',
      headers: { ce_id: 'mine', bytes: Buffer.from([0, 255]), cloudEvents_id: leg.event.id },
    });
    expect(
      Object.keys(message?.properties.headers ?? {}).filter((name) => /death|^CC$|-id|:type|^xx/.test(name)),
    ).toEqual([]);
    expect(target.health().detail).toMatchObject({ headersDropped: 5 });
    await eventually(async () => (await raw.depth(other)) === 0);
  });

  test('times are strings on the wire', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { target } = await opened({ queue });
    const event = jsonEvent(1);
    await send(target, [event]);
    const [message] = await raw.take(queue, 1);
    expect(message?.properties.headers?.['cloudEvents_time']).toBe(event.time);
    expect(message?.properties).toMatchObject({
      deliveryMode: 2,
      messageId: event.id,
      contentType: 'application/json',
    });
  });
});
