import { randomUUID } from 'node:crypto';
import { ACK } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import { type AdapterSpec, type BrokerHandle, defineAdapter } from '../spec.ts';
import {
  brokerSchema,
  type MqttBrokerConfig,
  type MqttSourceConfig,
  type MqttTargetConfig,
  sourceSchema,
  targetSchema,
} from './config.ts';
import { lintMqtt } from './lint.ts';
import { MqttSource } from './source.ts';
import { filtersOf } from './subscribe.ts';
import { MqttTarget } from './target.ts';

/** Every source and target has a connection of its own, so that none can end another's. */
interface MqttHandle extends BrokerHandle {
  readonly config: MqttBrokerConfig;
}

/** MQTT 3.1.1 and 5 through mqtt.js. */
export const mqttAdapter: AdapterSpec = defineAdapter<MqttBrokerConfig, MqttSourceConfig, MqttTargetConfig, MqttHandle>(
  {
    type: 'mqtt',
    summary: 'MQTT 3.1.1 and 5: QoS 0 and 1, persistent sessions, shared subscriptions.',
    broker: brokerSchema,
    source: {
      schema: sourceSchema,
      features: {
        redelivers: true,
        returns: false,
        delayedRetry: false,
        rejects: false,
        keyedOrder: true,
        competing: true,
        partitioned: false,
      },
      variables: ['topic', 'topic.*', 'qos', 'retain', 'property.*', 'contenttype', 'clientid'],
    },
    target: {
      schema: targetSchema,
      features: { durability: 'broker', orderedBatch: false, binaryMode: true, exclusive: true }, // the client id
    },
    createBroker: (config) => ({ config, close: async () => {} }),
    createSource(broker, config, context) {
      if (filtersOf(config).length === 0) {
        throw new FairleadError({ code: 'E_MQTT_CONFIG', message: 'a source needs "topic" or "topics"' });
      }
      return new MqttSource(broker.config, config, context);
    },
    createDryRunSource(broker, { share: _, ...config }, _limit, context) {
      // A subscription of its own gets a copy; in a share it would take events from the others.
      const clientId = `${context.gateway}-${context.name}-dry-${randomUUID().slice(0, 8)}`;
      return {
        source: new MqttSource(broker.config, { ...config, clientId, sessionExpiry: 0 }, context),
        settle: ACK,
        note: `${filtersOf(config).join(', ')} is subscribed to by a client of its own, which gets copies`,
      };
    },
    createTarget(broker, config, context) {
      if (config.encoding === 'binary' && broker.config.protocolVersion === 4) {
        throw new FairleadError({
          code: 'E_MQTT_CONFIG',
          message: 'MQTT 3.1.1 has no binary mode: use structured or raw',
        });
      }
      return new MqttTarget(broker.config, config, context);
    },
    lint: lintMqtt,
  },
);
