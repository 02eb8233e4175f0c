import type { Message } from '@aws-sdk/client-sqs';
import type { Queue } from '../../../src/adapters/sqs/client.ts';
import { Decoder } from '../../../src/adapters/sqs/decode.ts';
import { encode } from '../../../src/adapters/sqs/encode.ts';
import { sqs } from '../../../src/adapters/sqs/index.ts';
import { SqsSource } from '../../../src/adapters/sqs/source.ts';
import { SqsTarget } from '../../../src/adapters/sqs/target.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import type { SourceFeatures } from '../../../src/core/source.ts';
import { codecSuite } from '../../conformance/codec.suite.ts';
import { sourceSuite } from '../../conformance/source.suite.ts';
import { legOf, targetSuite } from '../../conformance/target.suite.ts';
import { jsonEvent } from '../../setup/events.ts';
import { context, QueueFixture, sourceConfig, targetConfig } from './fixture.ts';

const queue: Queue = { url: 'http://sqs/1/q', name: 'q', fifo: false, arn: 'arn:aws:sqs:eu:1:q', attributes: {} };
const decoder = new Decoder(queue, { maxEventBytes: 2 ** 20 });

function decoded(message: Message): MeshEvent {
  const { event, poison } = decoder.decode(message);
  if (event === undefined) throw new Error(`${poison.code} ${poison.message}`);
  return event;
}

function roundTrip(encoding: 'binary' | 'structured'): (event: MeshEvent) => MeshEvent {
  return (event) => {
    const options = { encoding, headers: 'pass', mirror: ['type', 'source'], maxBytes: 2 ** 20 } as const;
    const { body, attributes } = encode(event, undefined, options);
    return decoded({
      Body: body,
      MessageId: 'm',
      ...(attributes === undefined ? {} : { MessageAttributes: attributes }),
    });
  };
}

codecSuite({ kind: 'sqs', modes: { structured: roundTrip('structured'), binary: roundTrip('binary') } });

for (const fifo of [false, true]) {
  const kind = fifo ? 'sqs FIFO' : 'sqs';
  sourceSuite({
    kind,
    // a standard queue has no order to keep
    features: { ...(sqs.source?.features as SourceFeatures), keyedOrder: fifo },
    redelivery: 'exact',
    async setup() {
      const fixture = await QueueFixture.create(fifo);
      return {
        produce: (events) => fixture.produce(events),
        async producePoison() {
          const body = '{"specversion":"1.0","id":"x","source":"","type":"t"}';
          const group = fifo ? { MessageGroupId: 'poison', MessageDeduplicationId: 'poison' } : {};
          await fixture.put([{ Id: '', MessageBody: body, ...group }]);
          return Buffer.from(body);
        },
        create: () => fixture.source(),
        createBroken: () => new SqsSource(fixture.broker, sourceConfig('no-such-queue'), context),
        teardown: () => fixture.teardown(),
      };
    },
  });

  targetSuite({
    kind,
    encodings: ['structured', 'binary', 'raw'],
    async setup() {
      const fixture = await QueueFixture.create(fifo);
      return {
        create: (encoding) => fixture.target(encoding === undefined ? {} : { encoding }),
        createBroken: () => new SqsTarget(fixture.broker, targetConfig('no-such-queue'), context),
        received: async (count) => (await fixture.take(count)).map(decoded),
        receivedRaw: async (count) => (await fixture.take(count)).map(({ Body }) => Buffer.from(Body ?? '')),
        refusedLeg: () =>
          legOf(jsonEvent(3, { datacontenttype: 'text/plain', data: Buffer.from('x'.repeat(2 ** 20)) })),
        teardown: () => fixture.teardown(),
      };
    },
  });
}
