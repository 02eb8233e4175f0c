import { connectAsync, type MqttClient, UniqueMessageIdProvider } from 'mqtt';
import { Decoder } from '../../../src/adapters/mqtt/codec.ts';
import { canonical, forEachAttribute } from '../../../src/cloudevents/attributes.ts';
import { encodeJson } from '../../../src/cloudevents/json.ts';
import { STRUCTURED_JSON } from '../../../src/cloudevents/media-type.ts';
import { compileWrap } from '../../../src/cloudevents/wrap.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { unique } from '../unique.ts';
import { keyOf, type Mode, type Place } from './place.ts';

const BURST = 200;

function connect(url: string): Promise<MqttClient> {
  const messageIdProvider = new UniqueMessageIdProvider();
  return connectAsync(url, { protocolVersion: 5, clientId: unique('place'), reconnectPeriod: 0, messageIdProvider });
}

function packet(
  event: MeshEvent,
  mode: Mode,
): [Buffer, { contentType?: string; userProperties?: Record<string, string> }] {
  if (mode === 'structured') return [encodeJson(event), { contentType: STRUCTURED_JSON }];
  const userProperties: Record<string, string> = {};
  forEachAttribute(event, (name, value) => {
    userProperties[name] = canonical(value);
  });
  const { datacontenttype } = event;
  return [
    event.data ?? Buffer.alloc(0),
    { userProperties, ...(datacontenttype === undefined ? {} : { contentType: datacontenttype }) },
  ];
}

export async function mqttPlace(url: string): Promise<Place> {
  const client = await connect(url);
  const topic = unique('place');
  const clients = [client];
  const decoder = new Decoder({
    format: 'cloudevents',
    wrap: compileWrap(undefined, { type: 'x', source: 'x' }),
    maxEventBytes: 1_048_576,
    clientId: 'x',
    newId: () => 'x',
  });
  return {
    kind: 'mqtt',
    broker: { type: 'mqtt', url },
    source: { topic: `${topic}/#`, clientId: unique('place-source') },
    target: { topic: `${topic}/{partitionkey:-none}` },
    async produce(events, mode) {
      for (let at = 0; at < events.length; at += BURST) {
        const burst = events.slice(at, at + BURST).map((event) => {
          const [payload, properties] = packet(event, mode);
          return client.publishAsync(`${topic}/${keyOf(event) ?? 'none'}`, payload, { qos: 1, properties });
        });
        await Promise.all(burst);
      }
    },
    async read(onEvent) {
      const reader = await connect(url);
      clients.push(reader);
      reader.on('message', (_topic, _payload, received) => {
        const { event } = decoder.decode(received);
        if (event === undefined) throw new Error('not a CloudEvent');
        onEvent(event);
      });
      await reader.subscribeAsync(`${topic}/#`, { qos: 1 });
    },
    async close() {
      for (const each of clients) await each.endAsync(true);
    },
  };
}
