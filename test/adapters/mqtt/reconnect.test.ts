import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACK } from '../../../src/core/delivery.ts';
import type { Source } from '../../../src/core/source.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { eventually } from '../../setup/eventually.ts';
import { forgetSession, type RawClient, rawClient, sourceOf, unique } from './fixture.ts';
import { fakeBroker, pubackIds, tapWire, type Wire } from './wire.ts';

const never = new AbortController().signal;

describe.each([5, 4] as const)('a source that loses its connection, protocol version %i', (protocolVersion) => {
  let wire: Wire;
  let raw: RawClient;
  let intake: HoldingIntake;
  let topic: string;
  let clientId: string;
  const opened: Source[] = [];

  const open = async (): Promise<Source> => {
    const source = sourceOf({ url: wire.url, protocolVersion }, { topic, clientId });
    opened.push(source);
    intake = new HoldingIntake();
    await source.open(intake, never);
    return source;
  };
  const publish = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n += 1) await raw.client.publishAsync(topic, `${n}`, { qos: 1 });
  };
  const bodies = (): string[] => intake.events.map(({ event }) => String(event.data));
  const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `${from + n}`);
  const reconnected = (source: Source): Promise<unknown> =>
    eventually(() => expect(source.health()).toMatchObject({ status: 'up', detail: { reconnects: 1 } }));

  beforeEach(async () => {
    topic = unique('reconnect');
    clientId = unique('reconnect');
    wire = await tapWire(brokerUrl('MQTT'));
    raw = await rawClient(brokerUrl('MQTT'), protocolVersion);
  });
  afterEach(async () => {
    for (const source of opened.splice(0)) await source.close();
    await raw.end();
    await wire.close();
    await forgetSession(brokerUrl('MQTT'), clientId, protocolVersion);
  });

  test('what is still in flight is not delivered twice, and its PUBACK leaves on the new connection', async () => {
    const source = await open();
    await publish(0, 10);
    await eventually(() => expect(bodies()).toEqual(numbers(0, 10)));
    for (const { settle } of intake.received.slice(0, 4)) settle(ACK);
    await source.drained();
    wire.cut();
    await reconnected(source);
    await publish(10, 12);
    await eventually(() => expect(bodies()).toEqual(numbers(0, 12)));
    expect(source.health().detail).toMatchObject({ adopted: 6 });
    expect(source.health().lastError?.code).toBe('E_MQTT_CONNECTION');
    for (const { settle } of intake.received.slice(4)) settle(ACK);
    await source.drained();
    expect(pubackIds(wire.sent).length).toBe(12);
    await source.close();

    await open();
    await publish(12, 13);
    await eventually(() => expect(bodies()).toEqual(['12']));
  });

  test('settled while offline: acknowledged after the reconnect, never under a stale packet id', async () => {
    const source = await open();
    await publish(0, 5);
    await eventually(() => expect(bodies()).toEqual(numbers(0, 5)));
    wire.refuse();
    await eventually(() => expect(source.health().status).toBe('down'));
    intake.received[4]?.settle(ACK);
    intake.received[1]?.settle(ACK);
    expect(pubackIds(wire.sent)).toEqual([]);
    wire.allow();
    await eventually(() => expect(source.health().status).toBe('up'));
    await publish(5, 6);
    await eventually(() => expect(bodies()).toEqual(numbers(0, 6)));
    for (const index of [0, 2, 3, 5]) intake.received[index]?.settle(ACK);
    await eventually(() => expect(pubackIds(wire.sent).length).toBe(6));
    expect(new Set(pubackIds(wire.sent)).size).toBe(6);
  });

  test('a new process gets exactly the unsettled, as another attempt', async () => {
    const source = await open();
    await publish(0, 10);
    await eventually(() => expect(bodies()).toEqual(numbers(0, 10)));
    for (const index of [0, 1, 7]) intake.received[index]?.settle(ACK);
    await source.close();
    await open();
    await eventually(() => expect(bodies().length).toBe(7));
    expect(bodies()).toEqual(['2', '3', '4', '5', '6', '8', '9']);
    expect(intake.events.every(({ attempt }) => attempt === 2)).toBe(true);
  });

  test('retry gives an event back: it comes again with the next connection', async () => {
    const source = await open();
    await publish(0, 3);
    await eventually(() => expect(bodies()).toEqual(numbers(0, 3)));
    intake.received[0]?.settle(ACK);
    intake.received[1]?.settle({ verdict: 'retry', reason: 'test' });
    intake.received[2]?.settle({ verdict: 'reject', reason: 'test' });
    await source.drained();
    wire.cut();
    await eventually(() => expect(bodies()).toEqual(['0', '1', '2', '1']));
    expect(intake.events[3]?.attempt).toBe(2);
    expect(source.health().detail).toMatchObject({ returned: 1, rejected: 1 });
    intake.received[3]?.settle(ACK);
  });

  test('it comes back after many losses, with one subscription still', async () => {
    const source = await open();
    for (let round = 1; round <= 3; round += 1) {
      wire.cut();
      await eventually(() => expect(source.health()).toMatchObject({ status: 'up', detail: { reconnects: round } }));
      await publish(round, round + 1);
      await eventually(() => expect(bodies()).toEqual(numbers(1, round + 1)));
    }
    expect(wire.sent.filter(({ type }) => type === 8).length).toBe(1);
  });
});

describe('a source that is refused', () => {
  test('wrong credentials show in health and it keeps trying', async () => {
    let accepting = false;
    const wire = await fakeBroker(({ type, body }, socket) => {
      if (type === 1) socket.write(Buffer.from([0x20, 2, 0, accepting ? 0 : 5]));
      if (type === 8) socket.write(Buffer.from([0x90, 3, body[0] as number, body[1] as number, 1]));
      if (type === 12) socket.write(Buffer.from([0xd0, 0]));
    });
    const source = sourceOf({ url: wire.url, protocolVersion: 4 }, { topic: 'x' });
    const opening = source.open(new HoldingIntake(), never);
    await eventually(() => expect(wire.connections()).toBeGreaterThanOrEqual(3));
    expect(source.health()).toMatchObject({ status: 'down', lastError: { code: 'E_MQTT_AUTH' } });
    const items = await source.check();
    expect(items).toMatchObject([{ ok: false, code: 'E_MQTT_AUTH' }]);
    accepting = true;
    await opening;
    expect(source.health()).toMatchObject({ status: 'up', lastError: { code: 'E_MQTT_AUTH' } });
    await source.close();
    await wire.close();
  });

  test('a broker that grants less than the QoS asked for is an error, not a silent loss', async () => {
    const wire = await fakeBroker(({ type, body }, socket) => {
      if (type === 1) socket.write(Buffer.from([0x20, 2, 0, 0]));
      if (type === 8) socket.write(Buffer.from([0x90, 3, body[0] as number, body[1] as number, 0]));
    });
    const source = sourceOf({ url: wire.url, protocolVersion: 4 }, { topic: 'x' });
    await expect(source.open(new HoldingIntake(), never)).rejects.toMatchObject({ code: 'E_MQTT_QOS_DOWNGRADED' });
    await source.close();
    await wire.close();
  });

  test('an older broker is named as such', async () => {
    const wire = await fakeBroker(({ type }, socket) => {
      if (type === 1) socket.write(Buffer.from([0x20, 2, 0, 1]));
    });
    const source = sourceOf({ url: wire.url, protocolVersion: 4 }, { topic: 'x' });
    await expect(source.open(new HoldingIntake(), never)).rejects.toMatchObject({ code: 'E_MQTT_PROTOCOL_VERSION' });
    await wire.close();
  });

  test('opening ends when it is aborted', async () => {
    const source = sourceOf({ url: 'mqtt://127.0.0.1:1' }, { topic: 'x' });
    const abort = new AbortController();
    const opening = source.open(new HoldingIntake(), abort.signal);
    await eventually(() => expect(source.health().lastError?.code).toBe('E_MQTT_CONNECTION'));
    abort.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await source.close();
  });

  test('a twin with the same client id is named', async () => {
    const wire = await fakeBroker(({ type, body }, socket) => {
      if (type === 1) socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
      if (type === 8) socket.end(Buffer.from([0x90, 4, body[0] as number, body[1] as number, 0, 1, 0xe0, 1, 142]));
    });
    const source = sourceOf({ url: wire.url }, { topic: 'x' });
    await source.open(new HoldingIntake(), never);
    await eventually(() => expect(source.health().lastError?.code).toBe('E_MQTT_TAKEN_OVER'));
    await source.close();
    await wire.close();
  });
});
