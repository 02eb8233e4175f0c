import { MQTTJS_VERSION } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHECKED_MQTT_VERSION } from '../../../src/adapters/mqtt/late-puback.ts';
import { ACK } from '../../../src/core/delivery.ts';
import type { Source } from '../../../src/core/source.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { eventually } from '../../setup/eventually.ts';
import { forgetSession, type RawClient, rawClient, sourceOf, unique } from './fixture.ts';
import { pubackIds, tapWire, type Wire } from './wire.ts';

const never = new AbortController().signal;

test('the release of mqtt.js is the one that late-puback.ts was checked against', () => {
  expect(MQTTJS_VERSION).toBe(CHECKED_MQTT_VERSION);
});

/** What late-puback.ts takes for granted about mqtt.js. When one of these fails, read that file against the new release. */
describe.each([5, 4] as const)('contract of mqtt.js with late PUBACK, protocol version %i', (protocolVersion) => {
  let wire: Wire;
  let raw: RawClient;
  let source: Source;
  let intake: HoldingIntake;
  const topic = unique('contract');
  const clientId = unique('contract');

  const open = async (fields: Record<string, unknown> = {}, broker: Record<string, unknown> = {}): Promise<void> => {
    source = sourceOf({ url: wire.url, protocolVersion, ...broker }, { topic, clientId, ...fields });
    intake = new HoldingIntake();
    await source.open(intake, never);
  };
  const publish = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n += 1) await raw.client.publishAsync(topic, `${n}`, { qos: 1 });
  };
  const bodies = (): string[] => intake.events.map(({ event }) => String(event.data));
  const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `${from + n}`);

  beforeEach(async () => {
    wire = await tapWire(brokerUrl('MQTT'));
    raw = await rawClient(brokerUrl('MQTT'), protocolVersion);
  });
  afterEach(async () => {
    await source.close();
    await raw.end();
    await wire.close();
    await forgetSession(brokerUrl('MQTT'), clientId, protocolVersion);
  });

  test('50 in flight, none redelivered, PUBACK only after settlement and in order of receipt', async () => {
    await open();
    await publish(0, 50);
    await eventually(() => expect(bodies()).toEqual(numbers(0, 50)));
    expect(pubackIds(wire.sent)).toEqual([]);
    const ids = intake.received.map(({ delivery }) => delivery.meta.position['packetId']);

    const later = intake.received.slice(1).reverse();
    for (const { settle } of later) settle(ACK);
    await publish(50, 51);
    await eventually(() => expect(bodies().length).toBe(51));
    expect(pubackIds(wire.sent)).toEqual([]); // the first one is not settled: [MQTT-4.6.0-2]

    intake.received[0]?.settle(ACK);
    await eventually(() => expect(pubackIds(wire.sent)).toEqual(ids));
    expect(bodies()).toEqual(numbers(0, 51));
    expect(intake.events.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(wire.connections()).toBe(1);
  });

  test('settlement that takes longer than the keepalive does not end the connection', async () => {
    await open({}, { keepalive: '1s' });
    await publish(0, 5);
    await eventually(() => expect(wire.sent.filter(({ type }) => type === 12).length).toBeGreaterThanOrEqual(4));
    expect(wire.connections()).toBe(1);
    expect(source.health().status).toBe('up');
    expect(bodies()).toEqual(numbers(0, 5));
    intake.ackAll();
    await source.drained();
    await eventually(() => expect(pubackIds(wire.sent).length).toBe(5));
  });

  test('a full window stops reading, outlasts the keepalive, and goes on when there is room', async () => {
    await open({ receiveMaximum: 3 }, { keepalive: '1s' });
    await publish(0, 20);
    await eventually(() => expect(wire.sent.filter(({ type }) => type === 12).length).toBeGreaterThanOrEqual(6));
    expect(wire.connections()).toBe(1);
    expect(bodies()).toEqual(numbers(0, 3));
    intake.onArrival = ACK;
    intake.ackAll();
    await eventually(() => expect(bodies()).toEqual(numbers(0, 20)));
    await eventually(() => expect(pubackIds(wire.sent).length).toBe(20));
    expect(wire.connections()).toBe(1);
  });

  test('a byte bound stops reading too', async () => {
    await open({ receiveBytes: 2_048 });
    const big = Buffer.alloc(1_500, 1);
    for (let n = 0; n < 6; n += 1) await raw.client.publishAsync(topic, big, { qos: 1 });
    await eventually(() => expect(intake.received.length).toBe(2));
    expect(source.health().detail).toMatchObject({ unsettled: 2, unacknowledged: 2 });
    intake.onArrival = ACK;
    intake.ackAll();
    await eventually(() => expect(intake.received.length).toBe(6));
  });

  test('paused, it takes nothing more; resumed, it loses nothing', async () => {
    await open({}, { keepalive: '1s' });
    source.pause();
    await publish(0, 30);
    await eventually(() => expect(wire.sent.filter(({ type }) => type === 12).length).toBeGreaterThanOrEqual(5));
    expect(intake.received.length).toBeLessThanOrEqual(1);
    expect(wire.connections()).toBe(1);
    source.resume();
    await eventually(() => expect(bodies()).toEqual(numbers(0, 30)));
    intake.ackAll();
  });
});
