import { http } from './http/index.ts';
import { kafka } from './kafka/index.ts';
import { memory } from './memory/index.ts';
import { mqttAdapter } from './mqtt/index.ts';
import { rabbitmq } from './rabbitmq/index.ts';
import type { AdapterSpec } from './spec.ts';
import { sqs } from './sqs/index.ts';

/** Every adapter there is. An adapter is added here and nowhere else. */
export const adapters: readonly AdapterSpec[] = [kafka, rabbitmq, mqttAdapter, sqs, http, memory];
