import { elasticmq } from './elasticmq.mjs';
import { kafka } from './kafka.mjs';
import { mosquitto } from './mosquitto.mjs';
import { rabbitmq } from './rabbitmq.mjs';
import { registry } from './registry.mjs';

/** @type {Readonly<Record<import('./index.mjs').BrokerName, import('./spec.mjs').BrokerSpec>>} */
export const SPECS = { kafka, rabbitmq, mosquitto, elasticmq, registry };

/** @type {Readonly<Record<string, import('./index.mjs').BrokerName>>} */
const ALIASES = { mqtt: 'mosquitto', sqs: 'elasticmq', amqp: 'rabbitmq' };

/**
 * @param {readonly string[]} names none means all but those that are started on demand
 * @returns {import('./spec.mjs').BrokerSpec[]}
 */
export function selectSpecs(names) {
  if (names.length === 0) return Object.values(SPECS).filter(({ onDemand }) => onDemand !== true);
  return [...new Set(names.map((name) => ALIASES[name] ?? name))].map((name) => {
    if (!Object.hasOwn(SPECS, name)) {
      throw new Error(`unknown broker ${JSON.stringify(name)}; known: ${Object.keys(SPECS).join(', ')}`);
    }
    return SPECS[/** @type {import('./index.mjs').BrokerName} */ (name)];
  });
}
