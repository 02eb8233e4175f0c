import { connectAsync, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import type { z } from 'zod';
import { mqttAdapter } from '../../../src/adapters/mqtt/index.ts';
import type { AdapterContext, BrokerHandle } from '../../../src/adapters/spec.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { Source } from '../../../src/core/source.ts';
import type { Target } from '../../../src/core/target.ts';
import { unique } from '../../setup/unique.ts';

export { unique };

const context: AdapterContext = {
  name: 'x',
  gateway: 'test',
  instance: unique('i'),
  log: silentLog,
  clock: systemClock,
  random: Math.random,
};

type Fields = Record<string, unknown>;

function brokerOf(fields: Fields): BrokerHandle {
  return mqttAdapter.createBroker(mqttAdapter.broker.parse(fields), context);
}

/** A source as the gateway makes it, `as` and `maxEventBytes` beside the adapter's own fields. */
export function sourceOf(broker: Fields, fields: Fields, common: Fields = {}): Source {
  const schema = mqttAdapter.source?.schema as z.ZodObject;
  const config = { maxEventBytes: 1_048_576, ...common, ...schema.parse(fields) };
  return (mqttAdapter.createSource as NonNullable<typeof mqttAdapter.createSource>)(brokerOf(broker), config, context);
}

export function targetOf(broker: Fields, fields: Fields, common: Fields = {}): Target {
  const schema = mqttAdapter.target?.schema as z.ZodObject;
  const config = { headers: 'pass' as const, ...common, ...schema.parse(fields) };
  return (mqttAdapter.createTarget as NonNullable<typeof mqttAdapter.createTarget>)(brokerOf(broker), config, context);
}

export interface RawClient {
  readonly client: MqttClient;
  /** Everything received so far, in order. */
  readonly packets: IPublishPacket[];
  end(): Promise<void>;
}

/** A plain mqtt.js client that subscribes to `topic`. */
export async function rawClient(url: string, protocolVersion: 4 | 5, topic?: string): Promise<RawClient> {
  const options: IClientOptions = { protocolVersion, clientId: unique('raw'), clean: true, reconnectPeriod: 0 };
  const client = await connectAsync(url, options);
  const packets: IPublishPacket[] = [];
  client.on('message', (_topic, _payload, packet) => packets.push(packet));
  if (topic !== undefined) await client.subscribeAsync(topic, { qos: 1 });
  return { client, packets, end: () => client.endAsync() };
}

/** Removes a persistent session from the broker. */
export async function forgetSession(url: string, clientId: string, protocolVersion: 4 | 5): Promise<void> {
  const client = await connectAsync(url, { protocolVersion, clientId, clean: true, reconnectPeriod: 0 });
  await client.endAsync();
}
