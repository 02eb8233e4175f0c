import { connectAsync, type MqttClient } from 'mqtt';
import type { Place } from '../../../test/setup/places/place.ts';
import { unique } from '../../../test/setup/unique.ts';
import type { FarEnd } from './far.ts';

/** An MQTT broker does not tell how many it has taken in time: a subscription with QoS 0 is the cheapest count. */
export async function mqttFar({ broker, target }: Place): Promise<FarEnd> {
  const filter = (target['topic'] as string).replace(/\{.*$/, '#');
  const options = { protocolVersion: 5, clientId: unique('bench'), reconnectPeriod: 0, log: () => {} } as const;
  const client: MqttClient = await connectAsync(broker['url'] as string, options);
  return {
    depth: undefined,
    async listen(onPayload) {
      client.handleMessage = ({ payload }, done) => {
        onPayload(payload);
        done();
      };
      await client.subscribeAsync(filter, { qos: 0 });
    },
    close: () => client.endAsync(true),
  };
}
