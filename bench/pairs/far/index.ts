import type { Place } from '../../../test/setup/places/place.ts';
import type { FarEnd } from './far.ts';
import { kafkaFar } from './kafka.ts';
import { mqttFar } from './mqtt.ts';
import { rabbitmqFar } from './rabbitmq.ts';
import { sqsFar } from './sqs.ts';

export function openFarEnd(place: Place): Promise<FarEnd> {
  switch (place.kind) {
    case 'kafka':
      return kafkaFar(place);
    case 'rabbitmq':
      return rabbitmqFar(place);
    case 'mqtt':
      return mqttFar(place);
    case 'sqs':
      return sqsFar(place);
    case 'http':
      throw new Error('no pair of the bench ends in http');
  }
}
