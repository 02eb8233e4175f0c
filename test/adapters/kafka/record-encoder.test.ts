import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const require = createRequire(import.meta.url);
type Init = Record<string, unknown>;
interface Encoded {
  readonly buffer: Buffer;
}
// Taken before the encoders are exchanged.
const kafkajsRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (init: Init) => Encoded;
const { RecordBatch: kafkajsBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (init: Init) => Promise<Encoded>;
};
const { encodeKafkaRecord, encodeRecordBatch, useFastEncoders } = await import(
  '../../../src/adapters/kafka/record-encoder.ts'
);

const text = fc.string({ unit: 'binary', maxLength: 200 });
const present = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  text,
);
const bytes = fc.oneof(present, fc.constant(null));
const record = fc.record(
  {
    offsetDelta: fc.nat({ max: 100_000 }),
    timestampDelta: fc.integer({ min: -3_000_000_000, max: 3_000_000_000 }),
    key: bytes,
    value: bytes,
    headers: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.oneof(present, fc.array(text, { maxLength: 3 })),
      {
        maxKeys: 8,
      },
    ),
  },
  { requiredKeys: ['value'] },
);

test('the version whose encoders are replaced', () => {
  expect((require('kafkajs/package.json') as { version: string }).version).toBe('2.2.4');
});

test('a record is the same bytes as from kafkajs', () => {
  fc.assert(
    fc.property(record, (init) => {
      expect(encodeKafkaRecord(init).buffer.equals(kafkajsRecord(init).buffer)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('a record batch is the same bytes as from kafkajs, compressed or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 20 }),
      fc.nat({ max: 2 ** 42 }),
      fc.boolean(),
      async (inits, firstTimestamp, isCompressed) => {
        const init = {
          compression: isCompressed ? 1 : 0,
          firstTimestamp,
          maxTimestamp: firstTimestamp + 5,
          lastOffsetDelta: inits.length - 1,
          producerEpoch: 0,
          firstSequence: 0,
        };
        const ours = await encodeRecordBatch({ ...init, records: inits.map(encodeKafkaRecord) });
        const theirs = await kafkajsBatch({ ...init, records: inits.map(kafkajsRecord) });
        expect(ours.buffer.equals(theirs.buffer)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test('kafkajs encodes its requests with them', async () => {
  useFastEncoders();
  const request = require('kafkajs/src/protocol/requests/produce/v7/request') as (init: Init) => {
    encode(): Promise<Encoded>;
  };
  // Its own throws for a header without a value.
  const message = { key: null, value: Buffer.from('v'), headers: { a: null } };
  expect(() => kafkajsRecord(message)).toThrow(TypeError);
  const topicData = [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages: [message] }] }];
  const { buffer } = await request({ acks: -1, timeout: 1_000, compression: 0, topicData }).encode();
  expect(buffer.includes(encodeKafkaRecord(message).buffer)).toBe(true);
});
