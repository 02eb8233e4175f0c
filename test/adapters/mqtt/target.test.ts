import { afterEach, describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../../src/core/event.ts';
import type { SendResult, Target } from '../../../src/core/target.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { rawClient, targetOf, unique } from './fixture.ts';
import { CONNACK, fakeBroker, tapWire, type WirePacket } from './wire.ts';

const never = new AbortController().signal;
const quiet = { available(): void {}, unavailable(): void {} };
const ended: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function opened(broker: Record<string, unknown>, fields: Record<string, unknown>, common = {}): Promise<Target> {
  const target = targetOf(broker, fields, common);
  ended.push(() => target.close());
  await target.open(quiet, never);
  return target;
}

function legs(count: number): ReturnType<typeof legOf>[] {
  return Array.from({ length: count }, (_, n) => legOf(jsonEvent(n)));
}

const statuses = (results: readonly SendResult[]): string[] => [...new Set(results.map(({ status }) => status))];
const packetId = ({ body }: WirePacket): Buffer => {
  const at = 2 + body.readUInt16BE(0);
  return body.subarray(at, at + 2);
};
const puback = (packet: WirePacket): Buffer => Buffer.from([0x40, 2, ...packetId(packet)]);

describe('a target without a connection', () => {
  test('70,000 sends while offline are all reported unavailable at once, and nothing is queued', async () => {
    const wire = await tapWire(brokerUrl('MQTT'));
    ended.push(() => wire.close());
    const topic = unique('offline');
    const raw = await rawClient(brokerUrl('MQTT'), 5, topic);
    ended.push(() => raw.end());
    const target = await opened({ url: wire.url }, { topic });
    wire.refuse();
    await eventually(() => expect(target.health().status).toBe('down'));
    for (let batch = 0; batch < 70; batch += 1) {
      const results = await target.send(legs(1_000), never);
      expect(results.every((result) => result.status === 'failed' && result.unavailable === true)).toBe(true);
    }
    expect(target.health().detail).toMatchObject({ inFlight: 0 });
    wire.allow();
    await eventually(() => expect(target.health().status).toBe('up'));
    expect(statuses(await target.send(legs(5), never))).toEqual(['confirmed']);
    await eventually(() => expect(raw.packets.length).toBe(5));
  });

  test('what was in flight when the connection broke is unknown, and is not sent again by itself', async () => {
    const held: WirePacket[] = [];
    let confirming = false;
    const wire = await fakeBroker((packet, socket) => {
      if (packet.type === 1) socket.write(CONNACK);
      if (packet.type !== 3) return;
      if (confirming) socket.write(puback(packet));
      else held.push(packet);
    });
    ended.push(() => wire.close());
    const target = await opened({ url: wire.url, protocolVersion: 4 }, { topic: 'x', maxInFlight: 3 });
    const sending = target.send(legs(5), never);
    await eventually(() => expect(held.length).toBe(3));
    wire.cut();
    const results = await sending;
    expect(results.map(({ status }) => status)).toEqual(['unknown', 'unknown', 'unknown', 'failed', 'failed']);
    for (const result of results) expect(result).toMatchObject({ retryable: true, unavailable: true });
    confirming = true;
    await eventually(() => expect(target.health().status).toBe('up'));
    expect(statuses(await target.send(legs(1), never))).toEqual(['confirmed']);
    expect(wire.sent.filter(({ type }) => type === 3).length).toBe(4);
  });

  test('an event that the broker answers by closing the connection is found and pays with attempts; others go on', async () => {
    const wire = await fakeBroker((packet, socket) => {
      if (packet.type === 1) socket.write(CONNACK);
      if (packet.type !== 3) return;
      if (packet.body.includes('poison')) socket.destroy();
      else socket.write(puback(packet));
    });
    ended.push(() => wire.close());
    const target = await opened({ url: wire.url, protocolVersion: 4 }, { topic: 'x' });
    let todo: MeshEvent[] = [
      jsonEvent(0, { subject: 'poison' }),
      ...Array.from({ length: 20 }, (_, n) => jsonEvent(n)),
    ];
    const paid: MeshEvent[] = [];
    await eventually(
      async () => {
        if (target.health().status !== 'up') return false;
        const results = await target.send(
          todo.map((event) => legOf(event)),
          never,
        );
        paid.push(...todo.filter((_, n) => results[n]?.status !== 'confirmed' && !isUnavailable(results[n])));
        todo = todo.filter((_, n) => results[n]?.status !== 'confirmed' && isUnavailable(results[n]));
        return todo.length === 0;
      },
      { timeoutMs: 40_000 },
    );
    expect(paid.map(({ subject }) => subject)).toEqual(['poison']);
  });
});

function isUnavailable(result: SendResult | undefined): boolean {
  return result !== undefined && result.status !== 'confirmed' && result.unavailable === true;
}

describe('what would make the broker close the connection never leaves', () => {
  test.each(['a#b', 'a+b', 'a\u0000b', 'a\nb', 'a/b', '\ud800'])('topic value %j', async (value) => {
    const topic = unique('wild');
    const raw = await rawClient(brokerUrl('MQTT'), 5, `${topic}/#`);
    ended.push(() => raw.end());
    const target = await opened({ url: brokerUrl('MQTT') }, { topic: `${topic}/{lane}` });
    const bad = legOf(jsonEvent(1, { extensions: extensions({ lane: value }) }));
    const good = legOf(jsonEvent(2, { extensions: extensions({ lane: 'good' }) }));
    const results = await target.send([bad, good, legOf(jsonEvent(3))], never);
    expect(results).toMatchObject([
      { status: 'failed', code: 'E_MQTT_TOPIC', retryable: false },
      { status: 'confirmed' },
      { status: 'failed', code: 'E_MQTT_TOPIC', retryable: false },
    ]);
    expect(target.health()).toMatchObject({ status: 'up', detail: { reconnects: 0 } });
  });

  test('a user property with characters that MQTT forbids', async () => {
    const target = await opened({ url: brokerUrl('MQTT') }, { topic: unique('chars') }, { encoding: 'binary' });
    const results = await target.send(
      ['a\u0001b', 'a\u0085b', 'a\ufffeb', 'x'.repeat(70_000)].map((value) =>
        legOf(jsonEvent(1, { extensions: extensions({ bad: value }) })),
      ),
      never,
    );
    for (const result of results) expect(result).toMatchObject({ status: 'failed', code: 'E_MQTT_STRING' });
    expect(statuses(await target.send(legs(1), never))).toEqual(['confirmed']);
    expect(target.health().detail).toMatchObject({ reconnects: 0 });
  });

  test('native headers are passed on where they can be, and counted where not', async () => {
    const topic = unique('headers');
    const raw = await rawClient(brokerUrl('MQTT'), 5, topic);
    ended.push(() => raw.end());
    const target = await opened({ url: brokerUrl('MQTT') }, { topic }, { encoding: 'binary' });
    const headers = {
      'X-Trace': 'abc',
      bytes: Buffer.from([0xff, 0xfe]),
      text: Buffer.from('ünï'),
      id: 'another id',
      control: 'a\u0007b',
    };
    const meta = { position: { test: 1 }, headers };
    expect(statuses(await target.send([legOf(jsonEvent(1), { meta })], never))).toEqual(['confirmed']);
    await eventually(() => expect(raw.packets.length).toBe(1));
    const properties = raw.packets[0]?.properties?.userProperties;
    expect(properties).toMatchObject({ 'X-Trace': 'abc', text: 'ünï', specversion: '1.0' });
    expect(Object.keys(properties ?? {})).not.toContain('control');
    expect(target.health().detail).toMatchObject({ headersDropped: 3 });
  });
});

describe('sizes', () => {
  test.each([4, 5] as const)(
    'every length of the length field arrives whole, protocol version %i',
    async (protocolVersion) => {
      const topic = unique('size');
      const raw = await rawClient(brokerUrl('MQTT'), protocolVersion, topic);
      ended.push(() => raw.end());
      const target = await opened({ url: brokerUrl('MQTT'), protocolVersion }, { topic }, { encoding: 'raw' });
      const sizes = [0, 90, 100, 127, 128, 16_300, 16_384, 32_768, 32_769, 70_000, 2_097_152];
      const bodies = sizes.map((size) => Buffer.alloc(size, size % 251));
      const results = await target.send(
        bodies.map((data) => legOf(jsonEvent(1, { data, datacontenttype: 'application/octet-stream' }))),
        never,
      );
      expect(statuses(results)).toEqual(['confirmed']);
      await eventually(() => expect(raw.packets.length).toBe(bodies.length));
      raw.packets.forEach(({ payload }, n) => {
        expect((payload as Buffer).equals(bodies[n] as Buffer)).toBe(true);
      });
    },
  );

  test('the broker’s Maximum Packet Size and Receive Maximum are honoured', async () => {
    let most = 0;
    let open = 0;
    const published: Buffer[] = [];
    const wire = await fakeBroker((packet, socket) => {
      // receive maximum 2, maximum packet size 500
      if (packet.type === 1) socket.write(Buffer.from([0x20, 11, 0, 0, 8, 0x21, 0, 2, 0x27, 0, 0, 1, 0xf4]));
      if (packet.type !== 3) return;
      published.push(packet.body);
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        socket.write(puback(packet));
      });
    });
    ended.push(() => wire.close());
    const target = await opened({ url: wire.url }, { topic: 'x' }, { encoding: 'raw' });
    const big = legOf(jsonEvent(1, { data: Buffer.alloc(600) }));
    const results = await target.send([big, ...legs(10)], never);
    expect(results[0]).toMatchObject({ status: 'failed', code: 'E_TOO_LARGE', retryable: false });
    expect(statuses(results.slice(1))).toEqual(['confirmed']);
    // A trace is not worth an event: where both are too large together, the event goes alone.
    const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'vendor=1' };
    const meta = { position: {}, headers: { other: 'stays' } };
    const traced = { ...legOf(jsonEvent(2, { data: Buffer.alloc(400) })), meta, trace };
    const small = { ...legOf(jsonEvent(3)), meta, trace };
    expect(statuses(await target.send([traced, small], never))).toEqual(['confirmed']);
    const [one, other] = published.slice(-2).map((body) => body.toString('latin1'));
    expect(one).toContain('stays');
    expect(one).not.toContain('trace');
    expect(other).toContain(trace.traceparent);
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe('answers of the broker', () => {
  test('PUBACK reason codes become results', async () => {
    const codes = [0, 16, 135, 151, 153, 131];
    const wire = await fakeBroker((packet, socket) => {
      if (packet.type === 1) socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
      if (packet.type === 3) socket.write(Buffer.from([0x40, 3, ...packetId(packet), codes.shift() ?? 0]));
    });
    ended.push(() => wire.close());
    const target = await opened({ url: wire.url }, { topic: 'x' });
    expect(await target.send(legs(6), never)).toMatchObject([
      { status: 'confirmed' },
      { status: 'confirmed' },
      { status: 'failed', code: 'E_MQTT_NOT_AUTHORIZED', retryable: false },
      { status: 'failed', code: 'E_MQTT_QUOTA', retryable: true },
      { status: 'failed', code: 'E_MQTT_PAYLOAD_FORMAT', retryable: false },
      { status: 'failed', code: 'E_MQTT_REFUSED', retryable: true },
    ]);
  });

  test('a send that gets no PUBACK ends unknown; its packet id is not used again; a broker that never confirms is left', async () => {
    let answers = true;
    const late: Buffer[] = [];
    const wire = await fakeBroker((packet, socket) => {
      if (packet.type === 1) socket.write(CONNACK);
      if (packet.type !== 3) return;
      if (answers) socket.write(puback(packet));
      else late.push(packetId(packet));
    });
    ended.push(() => wire.close());
    const target = await opened({ url: wire.url, protocolVersion: 4 }, { topic: 'x', maxInFlight: 4 });
    answers = false;
    const abort = new AbortController();
    const sending = target.send(legs(2), abort.signal);
    await eventually(() => expect(late.length).toBe(2));
    abort.abort();
    expect(await sending).toMatchObject([
      { status: 'unknown', code: 'E_TIMEOUT', retryable: true },
      { status: 'unknown', code: 'E_TIMEOUT', retryable: true },
    ]);
    answers = true;
    expect(statuses(await target.send(legs(6), never))).toEqual(['confirmed']);
    const ids = wire.sent.filter(({ type }) => type === 3).map((packet) => packetId(packet).readUInt16BE(0));
    for (const stale of ids.slice(0, 2)) expect(ids.slice(2)).not.toContain(stale);

    answers = false;
    const again = new AbortController();
    const stuck = target.send(legs(4), again.signal);
    await eventually(() => expect(late.length).toBe(4));
    again.abort();
    expect((await stuck).map(({ status }) => status)).toEqual(['unknown', 'unknown', 'failed', 'failed']);
    await eventually(() => expect(wire.connections()).toBe(2));
    expect(target.health().lastError?.code).toBe('E_MQTT_NO_PUBACK');
  });

  test('QoS 0 is confirmed when it is written', async () => {
    const topic = unique('qos0');
    const raw = await rawClient(brokerUrl('MQTT'), 5, topic);
    ended.push(() => raw.end());
    const target = await opened({ url: brokerUrl('MQTT') }, { topic, qos: 0 });
    expect(statuses(await target.send(legs(20), never))).toEqual(['confirmed']);
    await eventually(() => expect(raw.packets.length).toBe(20));
    expect(target.health().detail).toMatchObject({ inFlight: 0 });
  });

  test('a retained event stays at its topic', async () => {
    const topic = unique('kept');
    const target = await opened({ url: brokerUrl('MQTT') }, { topic, retain: true });
    await target.send(legs(1), never);
    const raw = await rawClient(brokerUrl('MQTT'), 5, topic);
    ended.push(async () => {
      await raw.client.publishAsync(topic, '', { retain: true });
      await raw.end();
    });
    await eventually(() => expect(raw.packets.map(({ retain }) => retain)).toEqual([true]));
  });

  test('closing lets running sends end', async () => {
    const target = await opened({ url: brokerUrl('MQTT') }, { topic: unique('closing') });
    const sending = target.send(legs(200), never);
    await target.close();
    expect(statuses(await sending)).toEqual(['confirmed']);
  });
});
