import fc from 'fast-check';
import kafkajs, { type PartitionMetadata } from 'kafkajs';
import { expect, test } from 'vitest';
import { partitionOf } from '../../../src/adapters/kafka/murmur2.ts';

const partitionMetadata = Array.from(
  { length: 12 },
  (_, partitionId): PartitionMetadata => ({ partitionId, partitionErrorCode: 0, leader: 1, replicas: [1], isr: [1] }),
);

test("keys go where kafkajs' Java-compatible partitioner puts them", () => {
  const theirs = kafkajs.Partitioners.DefaultPartitioner();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
      const key = Buffer.from(bytes);
      const message = { key, value: null };
      expect(partitionOf(key, 12)).toBe(theirs({ topic: 't', partitionMetadata, message }));
    }),
    { numRuns: 500 },
  );
});

test('known values of the Java client', () => {
  // org.apache.kafka.common.utils.UtilsTest#testMurmur2, made positive
  const cases: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ];
  for (const [key, hash] of cases) expect(partitionOf(Buffer.from(key), 2 ** 31)).toBe(hash & 0x7fffffff);
});
