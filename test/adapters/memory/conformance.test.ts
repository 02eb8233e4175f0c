import { randomUUID } from 'node:crypto';
import { MemoryBroker } from '../../../src/adapters/memory/broker.ts';
import { decode, encode } from '../../../src/adapters/memory/codec.ts';
import { memory } from '../../../src/adapters/memory/index.ts';
import { MemorySource } from '../../../src/adapters/memory/source.ts';
import { MemoryTarget } from '../../../src/adapters/memory/target.ts';
import { compileWrap } from '../../../src/cloudevents/wrap.ts';
import { codecSuite } from '../../conformance/codec.suite.ts';
import { sourceSuite } from '../../conformance/source.suite.ts';
import { targetSuite } from '../../conformance/target.suite.ts';
import { testContext } from '../../setup/context.ts';

const wrap = compileWrap(undefined, { type: 't', source: '/s' });
const decodeAgain = (record: Parameters<typeof decode>[0]) => decode(record, wrap, () => undefined, 'id');

codecSuite({
  kind: 'memory',
  modes: {
    binary: (event) => decodeAgain(encode(event, 'binary')),
    structured: (event) => decodeAgain(encode(event, 'structured')),
  },
});

sourceSuite({
  kind: 'memory',
  features: memory.source?.features as NonNullable<typeof memory.source>['features'],
  redelivery: 'exact',
  without: ['missing'],
  async setup() {
    const topic = new MemoryBroker(10_000).topic(randomUUID());
    return {
      async produce(events) {
        topic.put(events.map((event) => encode(event, 'structured')));
      },
      async producePoison() {
        const body = Buffer.from('{"specversion":"1.0","id":');
        topic.put([
          { event: undefined, contentType: 'application/cloudevents+json', body, key: undefined, headers: undefined },
        ]);
        return body;
      },
      create: () =>
        new MemorySource(topic, { topic: topic.name, maxBatch: 7, maxEventBytes: 1_048_576 }, testContext('in')),
      async teardown() {},
    };
  },
});

targetSuite({
  kind: 'memory',
  encodings: ['binary', 'structured', 'raw'],
  without: ['refusal', 'missing'],
  async setup() {
    const topic = new MemoryBroker(10_000).topic(randomUUID());
    const take = (count: number) => {
      const records = topic.take(count);
      topic.acknowledge(records.length);
      return records.map(({ record }) => record);
    };
    return {
      create: (encoding) => new MemoryTarget(topic, { topic: topic.name, encoding, headers: 'pass' }),
      received: async (count) => take(count).map(decodeAgain),
      receivedRaw: async (count) => take(count).map(({ body }) => body ?? Buffer.alloc(0)),
      async teardown() {},
    };
  },
});
