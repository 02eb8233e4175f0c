import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { brokerUrl } from '../brokers.ts';
import { httpPlace } from './http.ts';
import { kafkaPlace } from './kafka.ts';
import { mqttPlace } from './mqtt.ts';
import type { Kind, Place } from './place.ts';
import { rabbitmqPlace } from './rabbitmq.ts';
import { sqsPlace } from './sqs.ts';

/** A fresh place on the broker of that kind. */
export async function createPlace(kind: Kind): Promise<Place> {
  switch (kind) {
    case 'kafka':
      return kafkaPlace(brokerUrl('KAFKA'));
    case 'rabbitmq':
      return rabbitmqPlace(brokerUrl('RABBITMQ'));
    case 'mqtt':
      return mqttPlace(brokerUrl('MQTT'));
    case 'sqs':
      return sqsPlace(brokerUrl('SQS'));
    case 'http':
      return httpPlace(await freePort());
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
