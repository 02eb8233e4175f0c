import { RabbitBroker } from '../../../src/adapters/rabbitmq/broker.ts';
import { decode } from '../../../src/adapters/rabbitmq/codec.ts';
import type { EncodeOptions } from '../../../src/adapters/rabbitmq/encoder.ts';
import { rabbitmq } from '../../../src/adapters/rabbitmq/index.ts';
import { RabbitSource } from '../../../src/adapters/rabbitmq/source.ts';
import { RabbitTarget } from '../../../src/adapters/rabbitmq/target.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { codecSuite } from '../../conformance/codec.suite.ts';
import { sourceSuite } from '../../conformance/source.suite.ts';
import { legOf, targetSuite } from '../../conformance/target.suite.ts';
import { testContext } from '../../setup/context.ts';
import { jsonEvent } from '../../setup/events.ts';
import { brokerConfig, RawClient, sourceConfig, targetConfig, unwire, wire } from './raw.ts';

const roundTrip =
  (encoding: EncodeOptions['encoding']) =>
  (event: MeshEvent): MeshEvent => {
    const [content, { contentType, headers }] = wire(event, encoding);
    const properties = { contentType, headers, correlationId: undefined, replyTo: undefined, appId: undefined };
    const wrap = (): never => {
      throw new Error('not a CloudEvent');
    };
    return decode({ content, properties }, wrap).event;
  };

codecSuite({
  kind: 'rabbitmq',
  modes: { binary: roundTrip('binary'), structured: roundTrip('structured') },
});

for (const type of ['quorum', 'classic'] as const) {
  sourceSuite({
    kind: `rabbitmq (${type} queue)`,
    features: rabbitmq.source?.features as NonNullable<typeof rabbitmq.source>['features'],
    redelivery: 'exact',
    async setup() {
      const raw = await RawClient.connect();
      const queue = await raw.queue(type);
      const broker = new RabbitBroker(brokerConfig(), testContext('broker'));
      const create = (name: string) => new RabbitSource(broker, sourceConfig(name), testContext('in'));
      return {
        produce: (events) => raw.putEvents(queue, events),
        async producePoison() {
          const body = Buffer.from('{"specversion":"1.0","id":');
          await raw.put(queue, body, { contentType: 'application/cloudevents+json' });
          return body;
        },
        create: () => create(queue),
        createBroken: () => create(`${queue}-missing`),
        async teardown() {
          await broker.close();
          await raw.close();
        },
      };
    },
  });

  targetSuite({
    kind: `rabbitmq (${type} queue)`,
    encodings: ['binary', 'structured', 'raw'],
    async setup() {
      const raw = await RawClient.connect();
      const queue = await raw.queue(type);
      const exchange = await raw.exchange('topic');
      await raw.channel.bindQueue(queue, exchange, 'test.#');
      const broker = new RabbitBroker(brokerConfig(), testContext('broker'));
      const create = (name: string, encoding?: EncodeOptions['encoding']) =>
        new RabbitTarget(
          broker,
          targetConfig({ exchange: name, queue, routingKey: '{type}', encoding }),
          testContext('out'),
        );
      return {
        create: (encoding) => create(exchange, encoding),
        createBroken: () => create(`${exchange}-missing`),
        received: async (count) => (await raw.take(queue, count)).map(unwire),
        receivedRaw: async (count) => (await raw.take(queue, count)).map(({ content }) => content),
        refusedLeg: () => legOf(jsonEvent(1, { type: 'test.#' })),
        async teardown() {
          await broker.close();
          await raw.close();
        },
      };
    },
  });
}
