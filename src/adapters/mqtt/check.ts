import { randomBytes } from 'node:crypto';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { CheckItem } from '../../core/source.ts';
import type { MqttBrokerConfig, MqttSourceConfig, MqttTargetConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { filtersOf, subscribe } from './subscribe.ts';

/** Connects under an id of its own and subscribes outside the share group, so that nothing is taken from anybody. */
export function checkSource(
  broker: MqttBrokerConfig,
  config: MqttSourceConfig,
  clientId: string,
): Promise<CheckItem[]> {
  return withConnection(broker, clientId, async (connection) => {
    const items: CheckItem[] = [];
    if (config.share !== undefined && connection.server.sharedSubscriptionAvailable === false) {
      items.push(failed('shared subscriptions', unsupported('shared subscriptions; leave "share" out')));
    }
    for (const topic of filtersOf(config)) {
      const what = `subscribe to "${topic}"`;
      const one = { topic, topics: undefined, qos: config.qos, retain: 'ignore', share: undefined } as const;
      items.push(
        await subscribe(connection, one).then(
          () => ({ what, ok: true }),
          (error: unknown) => failed(what, error),
        ),
      );
    }
    return items;
  });
}

/** Connects under an id of its own and looks at what the broker says it can do. Publishes nothing. */
export function checkTarget(
  broker: MqttBrokerConfig,
  config: MqttTargetConfig,
  clientId: string,
): Promise<CheckItem[]> {
  return withConnection(broker, clientId, async ({ server }) => {
    const mistake = serverMistake(server, config);
    return mistake === undefined ? [] : [failed('publish as configured', mistake)];
  });
}

/** What the broker said in CONNACK that it does not do, and the target needs (MQTT 5 §3.2.2.3). */
export function serverMistake(
  server: Connection['server'],
  config: Pick<MqttTargetConfig, 'qos' | 'retain'>,
): FairleadError | undefined {
  if (config.qos === 1 && server.maximumQoS === 0) {
    return unsupported('QoS 1; "qos: 0" would send without confirmation');
  }
  if (config.retain && server.retainAvailable === false) return unsupported('retained events; set "retain: false"');
  return undefined;
}

function unsupported(what: string): FairleadError {
  return new FairleadError({ code: 'E_MQTT_UNSUPPORTED', message: `the broker does not do ${what}` });
}

async function withConnection(
  broker: MqttBrokerConfig,
  clientId: string,
  more: (connection: Connection) => Promise<CheckItem[]>,
): Promise<CheckItem[]> {
  const what = `connect to ${broker.url}`;
  const session = { clientId: `${clientId}-check-${randomBytes(4).toString('hex')}`, clean: true };
  try {
    const connection = await openConnection(broker, session, new AbortController().signal);
    try {
      return [{ what, ok: true }, ...(await more(connection))];
    } finally {
      await connection.end();
    }
  } catch (error) {
    return [failed(what, error)];
  }
}

function failed(what: string, error: unknown): CheckItem {
  const code = error instanceof FairleadError ? error.code : 'E_MQTT_CONNECTION';
  return { what, ok: false, code, message: messageOf(error) };
}
