import type { IClientSubscribeOptions, ISubscriptionMap } from 'mqtt';
import { FairleadError } from '../../core/errors.ts';
import type { MqttSourceConfig } from './config.ts';
import type { Connection } from './connection.ts';
import { connectionError, subscribeError } from './errors.ts';
import { sharedFilter } from './topics.ts';

/** The topic filters of a source, as configured. */
export function filtersOf(config: Pick<MqttSourceConfig, 'topic' | 'topics'>): readonly string[] {
  return config.topics ?? (config.topic === undefined ? [] : [config.topic]);
}

/** Retained events only for a subscription that is new, or none at all (MQTT 5 §3.8.3.1). */
function retainHandling(retain: 'take' | 'ignore'): 1 | 2 {
  return retain === 'take' ? 1 : 2;
}

/**
 * Subscribes and looks at every granted QoS: a broker that grants 0 where 1 was asked for would lose events silently.
 * Rejects with `E_MQTT_SUBSCRIBE` or `E_MQTT_QOS_DOWNGRADED`.
 */
export async function subscribe(
  connection: Connection,
  config: Pick<MqttSourceConfig, 'topic' | 'topics' | 'qos' | 'retain' | 'share'>,
): Promise<void> {
  const filters = filtersOf(config).map((filter) => sharedFilter(config.share, filter));
  const options: IClientSubscribeOptions = { qos: config.qos, rh: retainHandling(config.retain) };
  const map: ISubscriptionMap = {};
  for (const filter of filters) map[filter] = options;
  const granted = await new Promise<readonly number[]>((resolve, reject) => {
    connection.client.subscribe(map, (error, _subscriptions, packet) => {
      const codes = packet?.granted as readonly number[] | undefined;
      if (codes !== undefined) resolve(codes);
      else reject(connectionError(error));
    });
  });
  for (const [index, code] of granted.entries()) {
    const filter = filters[index] ?? '';
    if (code >= 128) throw subscribeError(code, filter);
    if (code < config.qos) {
      throw new FairleadError({
        code: 'E_MQTT_QOS_DOWNGRADED',
        message: `the broker grants only QoS ${code} for "${filter}": events could be lost; set "qos: ${code}" if that is meant`,
      });
    }
  }
}
