import type { IClientPublishOptions, IPublishPacket } from 'mqtt';
import { expect } from 'vitest';
import { Decoder } from '../../../src/adapters/mqtt/codec.ts';
import { mqttAdapter } from '../../../src/adapters/mqtt/index.ts';
import { canonical, forEachAttribute } from '../../../src/cloudevents/attributes.ts';
import { encodeJson } from '../../../src/cloudevents/json.ts';
import { STRUCTURED_JSON } from '../../../src/cloudevents/media-type.ts';
import { compileWrap } from '../../../src/cloudevents/wrap.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import type { SourceFeatures } from '../../../src/core/source.ts';
import { type SourceFixture, sourceSuite } from '../../conformance/source.suite.ts';
import { legOf, type TargetFixture, targetSuite } from '../../conformance/target.suite.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { forgetSession, rawClient, sourceOf, targetOf, unique } from './fixture.ts';

const BROKEN = { url: 'mqtt://127.0.0.1:1' };

/** What a raw producer sends: alternately binary and structured on MQTT 5, structured on 3.1.1. */
function publication(event: MeshEvent, n: number, version: 4 | 5): { payload: Buffer; options: IClientPublishOptions } {
  if (version === 4) return { payload: encodeJson(event), options: { qos: 1 } };
  if (n % 2 === 0)
    return { payload: encodeJson(event), options: { qos: 1, properties: { contentType: STRUCTURED_JSON } } };
  const userProperties: Record<string, string> = {};
  forEachAttribute(event, (name, value) => {
    userProperties[name] = canonical(value);
  });
  const { datacontenttype } = event;
  const properties = { userProperties, ...(datacontenttype === undefined ? {} : { contentType: datacontenttype }) };
  return { payload: event.data ?? Buffer.alloc(0), options: { qos: 1, properties } };
}

async function sourceFixture(protocolVersion: 4 | 5): Promise<SourceFixture> {
  const url = brokerUrl('MQTT');
  const topic = unique('conformance');
  const clientId = unique('source');
  const raw = await rawClient(url, protocolVersion);
  let produced = 0;
  return {
    async produce(events) {
      for (const event of events) {
        const { payload, options } = publication(event, produced, protocolVersion);
        produced += 1;
        await raw.client.publishAsync(`${topic}/${event.extensions['partitionkey'] ?? 'none'}`, payload, options);
      }
    },
    async producePoison() {
      const bytes = Buffer.from('{"specversion":"1.0","id":');
      const properties = { contentType: STRUCTURED_JSON };
      await raw.client.publishAsync(
        `${topic}/none`,
        bytes,
        protocolVersion === 5 ? { qos: 1, properties } : { qos: 1 },
      );
      return bytes;
    },
    create: () =>
      sourceOf(
        { url, protocolVersion },
        { topic: `${topic}/#`, clientId, format: protocolVersion === 4 ? 'cloudevents' : 'auto' },
      ),
    createBroken: () => sourceOf(BROKEN, { topic: 'x' }),
    async teardown() {
      await raw.end();
      await forgetSession(url, clientId, protocolVersion);
    },
  };
}

async function targetFixture(protocolVersion: 4 | 5): Promise<TargetFixture> {
  const url = brokerUrl('MQTT');
  const topic = unique('conformance');
  const raw = await rawClient(url, protocolVersion, `${topic}/#`);
  const decoder = new Decoder({
    format: 'cloudevents',
    wrap: compileWrap(undefined, { type: 'x', source: 'x' }),
    maxEventBytes: 1_048_576,
    clientId: 'x',
    newId: () => 'x',
  });
  const packets = async (count: number): Promise<readonly IPublishPacket[]> => {
    await eventually(() => expect(raw.packets.length).toBeGreaterThanOrEqual(count));
    return raw.packets;
  };
  return {
    create: (encoding) => targetOf({ url, protocolVersion }, { topic: `${topic}/{lane:-all}` }, { encoding }),
    createBroken: () => targetOf(BROKEN, { topic: 'x' }),
    async received(count) {
      return (await packets(count)).map((packet) => decoder.decode(packet).event as MeshEvent);
    },
    async receivedRaw(count) {
      return (await packets(count)).map(({ payload }) => payload as Buffer);
    },
    refusedLeg: () => legOf(jsonEvent(0, { extensions: extensions({ lane: 'a#b' }) })),
    teardown: () => raw.end(),
  };
}

const features = mqttAdapter.source?.features as SourceFeatures;
for (const version of [5, 4] as const) {
  const kind = version === 5 ? 'mqtt 5' : 'mqtt 3.1.1';
  sourceSuite({ kind, features, redelivery: 'exact', setup: () => sourceFixture(version) });
  targetSuite({
    kind,
    encodings: version === 5 ? ['structured', 'binary', 'raw'] : ['structured', 'raw'],
    setup: () => targetFixture(version),
  });
}
