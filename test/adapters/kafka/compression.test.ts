import { createRequire } from 'node:module';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerCodecs } from '../../../src/adapters/kafka/compression.ts';
import { decodeSnappy, encodeSnappy, type RawSnappy } from '../../../src/adapters/kafka/snappy.ts';
import { ACK } from '../../../src/core/delivery.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { identity, mixedEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { brokerOf, never, quiet, RawKafka, sourceOf, targetOf } from './fixture.ts';

const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

describe('codecs against the real broker', () => {
  const raw = new RawKafka();
  const broker = brokerOf();
  afterAll(async () => {
    await broker.close();
    await raw.close();
  });

  test.each(Object.keys(CODECS))(
    '%s: written by the target, validated by the broker, read by the source',
    async (compression) => {
      const topic = await raw.createTopic(`codec-${compression}`);
      const target = targetOf(broker, { topic, compression });
      await target.open(quiet, never);
      const events = Array.from({ length: 200 }, (_, n) => mixedEvent(n));
      const results = await target.send(
        events.map((event) => legOf(event)),
        never,
      );
      expect(results.every(({ status }) => status === 'confirmed')).toBe(true);
      await target.close();

      const intake = new HoldingIntake();
      intake.onArrival = ACK;
      const source = sourceOf(broker, { topics: [topic], group: topic });
      await source.open(intake, never);
      await eventually(() => expect(intake.received.length).toBe(events.length));
      await source.close();
      expect(intake.events.map(({ event }) => identity(event))).toEqual(events.map(identity));
    },
  );

  test('the broker recompresses for a topic with its own codec, and the source reads what the Java library wrote', async () => {
    for (const name of Object.keys(CODECS)) {
      const topic = await raw.createTopic(`java-${name}`, 1, [{ name: 'compression.type', value: name }]);
      const value = Buffer.from('a body that compresses '.repeat(8_000));
      await raw.produce(topic, [{ value }, { value }]);
      const intake = new HoldingIntake();
      intake.onArrival = ACK;
      const source = sourceOf(broker, { topics: [topic], group: topic });
      await source.open(intake, never);
      await eventually(() => expect(intake.received.length).toBe(2));
      await source.close();
      expect(intake.events.map(({ event }) => event.data?.equals(value))).toEqual([true, true]);
    }
  });
});

describe('codecs alone', () => {
  beforeAll(() => registerCodecs());
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(100_000) }));

  test.each(Object.entries(CODECS))('%s round-trips, also nothing at all', async (_name, type) => {
    const codec = kafkajs.CompressionCodecs[type]();
    for (const buffer of [body, Buffer.alloc(0)]) {
      expect(Buffer.from(await codec.decompress(await codec.compress({ buffer }))).equals(buffer)).toBe(true);
    }
  });

  test('zstd frames without a content size, as streams write them', async () => {
    // one raw block of three bytes behind a header that has only a window descriptor (RFC 8878 §3.1.1)
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x19, 0x00, 0x00, 0x61, 0x62, 0x63]);
    expect(String(await kafkajs.CompressionCodecs[4]().decompress(frame))).toBe('abc');
  });

  test('a zstd frame that claims terabytes is refused before anything is allocated', async () => {
    const frame = Buffer.from([
      0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 4, 0, 0, 0x19, 0x00, 0x00, 0x61, 0x62, 0x63,
    ]);
    await expect(kafkajs.CompressionCodecs[4]().decompress(frame)).rejects.toMatchObject({ code: 'E_KAFKA_CODEC' });
  });

  test('snappy is read with xerial framing and without, and a cut stream is an error', () => {
    const snappy = createRequire(import.meta.url)('snappy') as typeof import('snappy');
    const blocks: RawSnappy = {
      compress: (bytes) => snappy.compressSync(bytes),
      uncompress: (bytes) => snappy.uncompressSync(bytes, { asBuffer: true }) as Buffer,
    };
    const framed = encodeSnappy(body, blocks);
    expect(framed.subarray(0, 8)).toEqual(Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]));
    expect(decodeSnappy(framed, blocks).equals(body)).toBe(true);
    expect(decodeSnappy(blocks.compress(body), blocks).equals(body)).toBe(true);
    expect(() => decodeSnappy(framed.subarray(0, framed.length - 3), blocks)).toThrow(RangeError);
  });
});
