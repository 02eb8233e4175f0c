import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ACK, type DeliveryBatch } from '../../../src/core/delivery.ts';
import type { Source } from '../../../src/core/source.ts';
import type { Target } from '../../../src/core/target.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { brokerOf, never, quiet, RawKafka, sourceOf, targetOf, unique } from './fixture.ts';
import { type OwnKafka, startOwnKafka } from './own-broker.ts';

let own: OwnKafka;
let raw: RawKafka;
const closing: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  own = await startOwnKafka();
  raw = new RawKafka([own.address('client')]);
}, 180_000);
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});
afterAll(async () => {
  await raw?.close();
  await own?.brokers.stop();
}, 60_000);

type Listener = Parameters<OwnKafka['address']>[0];
function connected(listener: Listener, fields: object = {}): ReturnType<typeof brokerOf> {
  const broker = brokerOf({ brokers: [own.address(listener)], ...fields });
  closing.push(broker);
  return broker;
}
async function openTarget(broker: ReturnType<typeof brokerOf>, fields: object): Promise<Target> {
  const target = targetOf(broker, { ...fields });
  closing.push(target);
  await target.open(quiet, never);
  return target;
}
async function openSource(broker: ReturnType<typeof brokerOf>, intake: HoldingIntake, fields: object): Promise<Source> {
  const source = sourceOf(broker, { ...fields });
  closing.push(source);
  await source.open(intake, never);
  return source;
}
/** Writes and reads back one event. */
async function carries(broker: ReturnType<typeof brokerOf>): Promise<void> {
  const topic = await raw.createTopic('secure');
  const target = await openTarget(broker, { topic });
  expect(await target.send([legOf(jsonEvent(1, { id: 'one' }))], never)).toEqual([{ status: 'confirmed' }]);
  const intake = new HoldingIntake();
  await openSource(broker, intake, { topics: [topic], group: unique('group') });
  await eventually(() => expect(intake.ids()).toEqual(['one']));
}
const unsigned = (claims: object): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.`;
};

describe('security', () => {
  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('%s', async (mechanism) => {
    await carries(connected('sasl', { sasl: { mechanism, ...own.admin } }));
  });

  test('oauthbearer with a token from a file', async () => {
    const tokenFile = own.file('token');
    const now = Math.floor(Date.now() / 1_000);
    await writeFile(tokenFile, unsigned({ sub: 'alice', iat: now, exp: now + 3_600 }));
    await carries(connected('sasl', { sasl: { mechanism: 'oauthbearer', tokenFile } }));
  });

  test('TLS with an authority from a file, and mutual TLS', async () => {
    const ca = own.file('ca.pem');
    await carries(connected('tls', { tls: { ca } }));
    await carries(connected('mutual', { tls: { ca, cert: own.file('client.pem'), key: own.file('client.key') } }));
  });

  test('wrong credentials refuse open and show in check; a refused certificate is only unavailable', async () => {
    const topic = await raw.createTopic('wrong');
    const wrong = connected('sasl', { sasl: { mechanism: 'scram-sha-512', username: 'alice', password: 'no' } });
    const source = sourceOf(wrong, { topics: [topic] });
    const target = targetOf(wrong, { topic });
    closing.push(source, target);
    await expect(source.open(new HoldingIntake(), never)).rejects.toMatchObject({ code: 'E_KAFKA_AUTHENTICATION' });
    await expect(target.open(quiet, never)).rejects.toMatchObject({ code: 'E_KAFKA_AUTHENTICATION' });
    expect(await source.check()).toMatchObject([{ ok: false, code: 'E_KAFKA_AUTHENTICATION' }]);
    const untrusted = targetOf(connected('tls', { tls: true }), { topic });
    expect(await untrusted.check()).toMatchObject([
      { ok: false, code: expect.stringMatching(/^E_KAFKA_(TLS|UNAVAILABLE)$/) },
    ]);
  });

  test('a topic that the user may not touch is refused with its own code', async () => {
    const topic = await raw.createTopic('forbidden');
    const sasl = { mechanism: 'plain', username: 'mallory', password: 'mallory-secret' };
    const target = targetOf(connected('sasl', { sasl }), { topic });
    closing.push(target);
    await expect(target.open(quiet, never)).rejects.toMatchObject({ code: 'E_KAFKA_AUTHORIZATION' });
    const source = sourceOf(connected('sasl', { sasl }), { topics: [topic] });
    closing.push(source);
    await expect(source.open(new HoldingIntake(), never)).rejects.toMatchObject({ code: 'E_KAFKA_AUTHORIZATION' });
  });
});

describe('a broker that dies', () => {
  test('kill -9 under load and a restart: nothing acknowledged is lost, and both sides come back by themselves', async () => {
    const [input, output] = [await raw.createTopic('in', 3), await raw.createTopic('out', 3)];
    const broker = connected('client');
    const told: string[] = [];
    const target = targetOf(broker, { topic: output });
    closing.push(target);
    const notify = { available: () => told.push('up'), unavailable: () => told.push('down') };
    await target.open(notify, never);
    const carried = (batch: DeliveryBatch): void => {
      void forward(target, batch);
    };
    const source = sourceOf(broker, { topics: [input], group: unique('group') });
    closing.push(source);
    await source.open({ batch: carried }, never);

    const sent: string[] = [];
    const produce = async (from: number): Promise<void> => {
      const values = Array.from({ length: 500 }, (_, n) => String(from + n));
      await raw.produce(
        input,
        values.map((value) => ({ value })),
      );
      sent.push(...values);
    };
    await produce(0);
    await produce(500);
    await own.brokers.kill('kafka');
    await eventually(() =>
      target.send([legOf(jsonEvent(0, { data: undefined }))], never).then(([r]) => r?.status !== 'confirmed'),
    );
    await eventually(() => told.includes('down') && target.health().status === 'down');
    await own.brokers.startOne('kafka');
    await eventually(() => told.at(-1) === 'up', { timeoutMs: 60_000 });
    await raw.close();
    await produce(1_000);
    const reader = new HoldingIntake();
    reader.onArrival = ACK;
    await openSource(broker, reader, { topics: [output], group: unique('group') });
    const received = (): Set<string> => new Set(reader.events.map(({ event }) => String(event.data)));
    await eventually(() => sent.every((value) => received().has(value)), { timeoutMs: 90_000 });
    expect(source.health()).toMatchObject({ status: 'up' });
    expect(source.health().lastError?.code).toMatch(/^E_KAFKA_/);
  }, 240_000);

  test('a frozen broker: the send given up is unknown, the connection is replaced, the next one is confirmed', async () => {
    const topic = await raw.createTopic('frozen');
    const broker = connected('client', { connectTimeout: '1s', requestTimeout: '5s' });
    const target = await openTarget(broker, { topic });
    expect(await target.send([legOf(jsonEvent(1))], never)).toMatchObject([{ status: 'confirmed' }]);
    await own.brokers.kill('kafka', 'SIGSTOP');
    try {
      const results = await target.send([legOf(jsonEvent(2))], AbortSignal.timeout(1_500));
      expect(results).toMatchObject([{ status: 'unknown', retryable: true }]);
      expect(target.health().status).toBe('down');
    } finally {
      await own.brokers.kill('kafka', 'SIGCONT');
    }
    await eventually(() => target.health().status === 'up');
    expect(await target.send([legOf(jsonEvent(3))], never)).toMatchObject([{ status: 'confirmed' }]);
  }, 120_000);
});

/** A lane in a few lines: sends until everything of the batch is confirmed, then settles. */
async function forward(target: Target, batch: DeliveryBatch): Promise<void> {
  let open = batch.deliveries.map((_, index) => index);
  while (open.length > 0) {
    const legs = open.map((index) => {
      const { event, meta } = batch.deliveries[index] as (typeof batch.deliveries)[number];
      return legOf(event as NonNullable<typeof event>, { meta });
    });
    const results = await target.send(legs, AbortSignal.timeout(10_000));
    const left = open.filter((_, i) => results[i]?.status !== 'confirmed');
    for (const index of open) if (!left.includes(index)) batch.settle(index, ACK);
    open = left;
    if (open.length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
