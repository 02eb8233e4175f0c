import { afterAll } from 'vitest';
import { decodeRecord, encodeRecord, type RecordHeaders } from '../../../src/adapters/kafka/codec.ts';
import { kafka } from '../../../src/adapters/kafka/index.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { codecSuite } from '../../conformance/codec.suite.ts';
import { sourceSuite } from '../../conformance/source.suite.ts';
import { legOf, targetSuite } from '../../conformance/target.suite.ts';
import { jsonEvent } from '../../setup/events.ts';
import { brokerOf, RawKafka, sourceOf, targetOf, unique } from './fixture.ts';

const raw = new RawKafka();
afterAll(() => raw.close());

/** As the wire gives it back: header values are bytes. */
function wire(headers: Record<string, string | Buffer>): RecordHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value as string)]));
}

function decoded(value: Buffer | null, headers: RecordHeaders): MeshEvent {
  const result = decodeRecord(value, headers);
  if (!('event' in result)) throw new Error('not a CloudEvent');
  return result.event;
}

const trip = (mode: 'binary' | 'structured') => (event: MeshEvent) => {
  const { value, headers } = encodeRecord(event, mode, undefined);
  return decoded(value, wire(headers));
};

codecSuite({ kind: 'kafka', modes: { binary: trip('binary'), structured: trip('structured') } });

sourceSuite({
  kind: 'kafka',
  features: kafka.source?.features as NonNullable<typeof kafka.source>['features'],
  redelivery: 'from-first-unsettled',
  setup: async () => {
    const topic = await raw.createTopic('source', 3);
    const group = unique('group');
    const broker = brokerOf();
    return {
      produce: (events) =>
        raw.produce(
          topic,
          events.map((event) => {
            const key = event.extensions['partitionkey'];
            return { key: key === undefined ? null : String(key), ...encodeRecord(event, 'binary', undefined) };
          }),
        ),
      producePoison: async () => {
        const value = Buffer.from('not an event');
        await raw.produce(topic, [{ value, headers: { ce_specversion: '1.0', ce_id: ['1', '2'] } }]);
        return value;
      },
      create: () => sourceOf(broker, { topics: [topic], group }),
      createBroken: () => sourceOf(broker, { topics: [unique('missing')], group }),
      teardown: () => broker.close(),
    };
  },
});

targetSuite({
  kind: 'kafka',
  encodings: ['binary', 'structured', 'raw'],
  setup: async () => {
    const topic = await raw.createTopic('target', 3);
    const broker = brokerOf();
    return {
      create: (encoding) => targetOf(broker, { topic, key: '{partitionkey}' }, { encoding }),
      createBroken: () => targetOf(broker, { topic: unique('missing') }),
      received: async (count) => (await raw.read([topic], count)).map(({ value, headers }) => decoded(value, headers)),
      receivedRaw: async (count) => (await raw.read([topic], count)).map(({ value }) => value ?? Buffer.alloc(0)),
      refusedLeg: () => legOf(jsonEvent(9, { data: Buffer.alloc(3 * 2 ** 20) })),
      teardown: () => broker.close(),
    };
  },
});
