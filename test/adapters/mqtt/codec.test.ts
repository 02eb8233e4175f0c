import type { IPublishPacket } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { Decoder } from '../../../src/adapters/mqtt/codec.ts';
import { Encoder } from '../../../src/adapters/mqtt/encode.ts';
import type { WrapConfig } from '../../../src/adapters/spec.ts';
import { STRUCTURED_JSON } from '../../../src/cloudevents/media-type.ts';
import { compileWrap } from '../../../src/cloudevents/wrap.ts';
import type { Delivery } from '../../../src/core/delivery.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { codecSuite } from '../../conformance/codec.suite.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';

type Properties = IPublishPacket['properties'];

function packetOf(payload: string | Buffer, properties?: Properties, topic = 'plant/7/telemetry'): IPublishPacket {
  const packet: IPublishPacket = {
    cmd: 'publish',
    topic,
    payload: Buffer.from(payload),
    qos: 1,
    dup: false,
    retain: false,
    messageId: 7,
  };
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

function decoder(format: 'auto' | 'cloudevents' | 'raw' = 'auto', as?: WrapConfig, maxEventBytes = 1_048_576): Decoder {
  const wrap = compileWrap(as, { type: 'org.mqtt.message', source: 'mqtt:{topic}' });
  return new Decoder({ format, wrap, maxEventBytes, clientId: 'me', newId: () => 'fresh' });
}

function encoder(
  version: 4 | 5,
  encoding: 'binary' | 'structured' | 'raw',
  headers: 'pass' | 'drop' = 'pass',
): Encoder {
  return new Encoder({ topic: 'a/b', slashes: 'reject', encoding, headers, version });
}

/** As the wire would: MQTT 3.1.1 has no properties. */
function roundTrip(version: 4 | 5, encoding: 'binary' | 'structured'): (event: MeshEvent) => MeshEvent {
  return (event) => {
    const { payload, contentType, properties } = encoder(version, encoding).encode(legOf(event));
    const userProperties: Record<string, string> = Object.create(null);
    for (let i = 0; i < properties.length; i += 2)
      userProperties[properties[i] as string] = properties[i + 1] as string;
    const found: NonNullable<Properties> = { userProperties, ...(contentType === undefined ? {} : { contentType }) };
    const { event: decoded } = decoder('cloudevents').decode(packetOf(payload, version === 5 ? found : undefined));
    if (decoded === undefined) throw new Error('poison');
    return decoded;
  };
}

codecSuite({
  kind: 'mqtt',
  modes: {
    '5 binary': roundTrip(5, 'binary'),
    '5 structured': roundTrip(5, 'structured'),
    '3.1.1 structured': roundTrip(4, 'structured'),
  },
});

const CE = { specversion: '1.0', id: '1', source: '/s', type: 't' };
const poison = (delivery: Delivery): string | undefined => delivery.poison?.code;

describe('decoding MQTT 5', () => {
  test('a binary CloudEvent: user properties without a prefix, Content Type as datacontenttype', () => {
    const { event, meta, orderingKey } = decoder().decode(
      packetOf('{}', {
        contentType: 'text/JSON; charset=utf-8',
        userProperties: { ...CE, myext: 'x', 'X-Trace': 'y' },
      }),
    );
    expect(event).toMatchObject({ id: '1', source: '/s', type: 't', datacontenttype: 'text/JSON; charset=utf-8' });
    expect(event?.extensions).toEqual(extensions({ myext: 'x' }));
    expect(meta).toEqual({
      position: { topic: 'plant/7/telemetry', packetId: 7 },
      headers: Object.assign(Object.create(null), { 'X-Trace': 'y' }),
    });
    expect(orderingKey).toBe('plant/7/telemetry');
  });

  test('a duplicate attribute is an error; a duplicate header is joined', () => {
    expect(poison(decoder().decode(packetOf('', { userProperties: { ...CE, id: ['1', '2'] } })))).toBe(
      'E_CE_DUPLICATE',
    );
    expect(poison(decoder().decode(packetOf('', { userProperties: { ...CE, specversion: ['1.0', '1.0'] } })))).toBe(
      'E_CE_DUPLICATE',
    );
    const { meta } = decoder().decode(packetOf('', { userProperties: { ...CE, 'X-A': ['1', '2'] } }));
    expect(meta.headers).toMatchObject({ 'X-A': '1, 2' });
  });

  test('a duplicate Content Type is an error', () => {
    const twice = ['text/plain', 'text/html'] as unknown as string;
    const delivery = decoder().decode(packetOf('x', { contentType: twice, userProperties: { ...CE } }));
    expect(poison(delivery)).toBe('E_CE_DUPLICATE');
  });

  test('id and type without specversion is not a CloudEvent', () => {
    const { event, meta } = decoder().decode(packetOf('x', { userProperties: { id: '1', type: 't' } }));
    expect(event).toMatchObject({ id: 'fresh', type: 'org.mqtt.message', source: 'mqtt:plant/7/telemetry' });
    expect(meta.headers).toMatchObject({ id: '1', type: 't' });
  });

  test('a Content Type alone becomes datacontenttype of the wrapped event', () => {
    const { event } = decoder().decode(packetOf('{"a":1}', { contentType: 'application/json' }));
    expect(event).toMatchObject({ type: 'org.mqtt.message', datacontenttype: 'application/json' });
  });

  test('specversion with something missing or wrong is poison, never wrapped', () => {
    expect(poison(decoder().decode(packetOf('', { userProperties: { specversion: '1.0', id: '1' } })))).toBe(
      'E_CE_MISSING',
    );
    expect(poison(decoder().decode(packetOf('', { userProperties: { ...CE, specversion: '0.3' } })))).toBe(
      'E_CE_SPECVERSION',
    );
    const late = { ...CE, time: 'Tue, 15 Nov 1994 08:12:31 GMT' };
    expect(poison(decoder().decode(packetOf('', { userProperties: late })))).toBe('E_CE_INVALID_ATTRIBUTE');
  });

  test('structured by content type, in any case and with parameters; other formats are poison', () => {
    const body = JSON.stringify({ ...CE, data: 1 });
    const { event, meta } = decoder().decode(
      packetOf(body, { contentType: 'Application/CloudEvents+JSON;charset=UTF-8', userProperties: { trace: 'x' } }),
    );
    expect(event?.id).toBe('1');
    expect(meta.headers).toMatchObject({ trace: 'x' });
    for (const contentType of ['application/cloudevents+avro', 'application/cloudevents-batch+json']) {
      expect(poison(decoder().decode(packetOf(body, { contentType })))).toBe('E_CE_CONTENT_MODE');
    }
    const broken = decoder().decode(packetOf('{"specversion":', { contentType: STRUCTURED_JSON }));
    expect(broken.poison).toMatchObject({ contentType: STRUCTURED_JSON, raw: Buffer.from('{"specversion":') });
  });

  test('a content type repeated as a user property counts once, and must be the same', () => {
    const same = { contentType: 'a/b', userProperties: { ...CE, datacontenttype: 'a/b' } };
    expect(decoder().decode(packetOf('x', same)).event?.datacontenttype).toBe('a/b');
    const alone = { userProperties: { ...CE, datacontenttype: 'a/b' } };
    expect(decoder().decode(packetOf('x', alone)).event?.datacontenttype).toBe('a/b');
    const other = { contentType: 'a/b', userProperties: { ...CE, datacontenttype: 'c/d' } };
    expect(poison(decoder().decode(packetOf('x', other)))).toBe('E_CE_INVALID_ATTRIBUTE');
  });

  test('hostile names are ordinary names', () => {
    const userProperties = Object.assign(Object.create(null), CE, { constructor: 'a', data: 'c' });
    Object.defineProperty(userProperties, '__proto__', { value: 'b', enumerable: true });
    const { event, meta } = decoder().decode(packetOf('x', { userProperties }));
    expect(event?.extensions['constructor']).toBe('a');
    expect(Object.entries(meta.headers ?? {})).toEqual(
      expect.arrayContaining([
        ['__proto__', 'b'],
        ['data', 'c'],
      ]),
    );
    expect(({} as Record<string, unknown>)['b']).toBeUndefined();
  });

  test('a flood of properties is just many headers', () => {
    const userProperties: Record<string, string> = { ...CE };
    for (let n = 0; n < 1_000; n += 1) userProperties[`X-${n}`] = 'x'.repeat(100);
    expect(Object.keys(decoder().decode(packetOf('x', { userProperties })).meta.headers ?? {}).length).toBe(1_000);
  });

  test('no bytes of no type are no data; of some type they are empty data', () => {
    expect(decoder().decode(packetOf('', { userProperties: { ...CE } })).event?.data).toBeUndefined();
    const typed = decoder().decode(packetOf('', { contentType: 'text/plain', userProperties: { ...CE } }));
    expect(typed.event?.data?.length).toBe(0);
  });
});

describe('decoding MQTT 3.1.1', () => {
  const structured = JSON.stringify({ ...CE, data: { a: 1 } });

  test('auto finds structured CloudEvents and wraps the rest', () => {
    expect(decoder().decode(packetOf(structured)).event?.id).toBe('1');
    for (const body of [
      '{"specversion":1}',
      '{"note":"\\"specversion\\""}',
      `${structured}}`,
      '21.5',
      '[]',
      '\u00ff',
    ]) {
      expect(decoder().decode(packetOf(body)).event).toMatchObject({ id: 'fresh', type: 'org.mqtt.message' });
    }
  });

  test('cloudevents takes nothing else; raw wraps everything', () => {
    expect(poison(decoder('cloudevents').decode(packetOf('21.5')))).toMatch(/^E_CE_/);
    expect(poison(decoder('cloudevents').decode(packetOf('{}', { contentType: 'application/json' })))).toBe(
      'E_CE_MISSING',
    );
    const wrapped = decoder('raw').decode(packetOf(structured)).event;
    expect(wrapped?.type).toBe('org.mqtt.message');
    expect(String(wrapped?.data)).toBe(structured);
  });

  test('the variables of a source', () => {
    const as = {
      type: 'x.{property.kind:-none}',
      source: '/plant/{topic.1}',
      subject: '{topic.9:-nothing}-{qos}-{retain}-{clientid}',
      id: '{topic.2}',
      datacontenttype: '{contenttype:-text/plain}',
    };
    const { event } = decoder('auto', as).decode(packetOf('x', { userProperties: { kind: 'k' } }));
    expect(event).toMatchObject({
      id: 'telemetry',
      source: '/plant/7',
      type: 'x.k',
      subject: 'nothing-1-false-me',
      datacontenttype: 'text/plain',
    });
    const missing = decoder('auto', { type: 't', source: '/{topic.5}' }).decode(packetOf('x'));
    expect(poison(missing)).toBe('E_WRAP');
  });

  test('a repeated packet is another attempt; an oversized one is poison', () => {
    expect(decoder().decode({ ...packetOf('x'), dup: true }).attempt).toBe(2);
    const large = decoder('auto', undefined, 10).decode(packetOf('x'.repeat(11)));
    expect(large.poison).toMatchObject({ code: 'E_TOO_LARGE', raw: Buffer.from('x'.repeat(11)) });
  });
});

describe('encoding', () => {
  test('3.1.1: bytes become data_base64', () => {
    const event = jsonEvent(1, { data: Buffer.from([0xff, 0]), datacontenttype: 'application/octet-stream' });
    const { payload } = encoder(4, 'structured').encode(legOf(event));
    expect(JSON.parse(String(payload))).toMatchObject({ data_base64: '/wA=' });
  });

  test('absent attributes are not written', () => {
    const event = jsonEvent(1, { subject: undefined, time: undefined, datacontenttype: undefined, data: undefined });
    const { properties, contentType } = encoder(5, 'binary').encode(legOf(event));
    expect(properties).toEqual(['specversion', '1.0', 'id', event.id, 'source', event.source, 'type', event.type]);
    expect(contentType).toBeUndefined();
  });

  test('a structured event leaves as the bytes it came in', () => {
    const bytes = Buffer.from('{ "specversion":"1.0", "id":"1","source":"/s","type":"t", "data": 1.0 }');
    const { event } = decoder().decode(packetOf(bytes));
    expect(
      encoder(5, 'structured')
        .encode(legOf(event as MeshEvent))
        .payload.equals(bytes),
    ).toBe(true);
  });

  test('raw: data and its type alone', () => {
    const raw = encoder(5, 'raw').encode(legOf(jsonEvent(1)));
    expect(raw).toMatchObject({ contentType: 'application/json', properties: [] });
    expect(encoder(5, 'raw').encode(legOf(jsonEvent(1, { data: undefined }))).payload.length).toBe(0);
  });

  test('headers: dropped ones are counted, on 3.1.1 all of them', () => {
    const meta = { position: {}, headers: { a: '1', b: '2' } };
    for (const [version, headers, dropped] of [
      [5, 'pass', 0],
      [5, 'drop', 2],
      [4, 'pass', 2],
    ] as const) {
      const one = encoder(version, 'structured', headers);
      const { properties } = one.encode(legOf(jsonEvent(1), { meta }));
      expect(one.headersDropped).toBe(dropped);
      expect(properties).toEqual(dropped === 0 ? ['a', '1', 'b', '2'] : []);
    }
  });

  test('a header cannot turn data into a CloudEvent', () => {
    const meta = { position: {}, headers: { specversion: '1.0', id: 'x' } };
    const one = encoder(5, 'raw');
    expect(one.encode(legOf(jsonEvent(1), { meta })).properties).toEqual([]);
    expect(one.headersDropped).toBe(2);
  });

  test('topics: slashes only where allowed, a missing attribute is final', () => {
    const make = (slashes: 'reject' | 'allow'): Encoder =>
      new Encoder({ topic: 'x/{subject}', slashes, encoding: 'raw', headers: 'pass', version: 5 });
    const leg = legOf(jsonEvent(1, { subject: 'a/b' }));
    expect(() => make('reject').encode(leg)).toThrow(
      expect.objectContaining({ code: 'E_MQTT_TOPIC', retryable: false }),
    );
    expect(make('allow').encode(leg).topic).toBe('x/a/b');
    expect(() => make('allow').encode(legOf(jsonEvent(1)))).toThrow(/does not have/);
    expect(() => make('allow').encode(legOf(jsonEvent(1, { subject: 'x'.repeat(65_536) })))).toThrow(/longer/);
  });
});
