import fc from 'fast-check';
import { type AttributeValue, MeshEvent, newExtensions } from '../../src/core/event.ts';
import type { DeadLetter } from '../../src/store/letter.ts';

/** A letter of an event with awkward attributes; `over` changes parts. */
export function letter(over: Partial<DeadLetter> = {}): DeadLetter {
  const extensions = newExtensions();
  extensions['count'] = -2147483648;
  extensions['flag'] = false;
  extensions['blob'] = Buffer.from([0, 255, 1]);
  extensions['partitionkey'] = 'ключ-😀';
  return {
    event: new MeshEvent({
      id: 'e-1',
      source: '/plant/7',
      type: 'com.acme.reading',
      time: '2024-01-01T00:00:00.123456789+02:00',
      datacontenttype: 'application/json',
      extensions,
      data: Buffer.from('{"n":12345678901234567890}'),
    }),
    raw: undefined,
    contentType: 'application/json',
    code: 'E_KAFKA_TOO_LARGE',
    message: 'the broker refused 2,000,000 bytes',
    attempts: 8,
    source: 'readings',
    meta: {
      position: { topic: 'readings', partition: 3, offset: '42' },
      headers: { 'x-trace': 'abc', raw: Buffer.from([200, 0]), ['__proto__']: 'native' },
      key: Buffer.from([1, 2, 255]),
      principal: 'ingress',
    },
    route: 'archive',
    target: 'eu-readings',
    receivedAt: 1_700_000_000_000.25,
    at: 1_700_000_123_456,
    gateway: 'edge 7',
    revision: '0a1b2c3d4e5f',
    ...over,
  };
}

const text = fc.string({ unit: 'binary', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const attribute: fc.Arbitrary<AttributeValue> = fc.oneof(text, fc.integer(), fc.boolean(), bytes);
const extensions = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z0-9]{1,20}$/), attribute), { maxLength: 8 })
  .map((entries) => Object.assign(newExtensions(), Object.fromEntries(entries)));

const event: fc.Arbitrary<MeshEvent> = fc
  .record({
    ...{ id: text, source: text, type: text, extensions, data: optional(bytes) },
    ...{ subject: optional(text), time: optional(text), datacontenttype: optional(text), dataschema: optional(text) },
    /** none, bytes of its own, or bytes that the data is a slice of */
    structured: fc.constantFrom('none', 'own', 'around'),
  })
  .map(({ structured, ...init }) => {
    if (structured === 'none') return new MeshEvent(init);
    const whole = Buffer.concat([Buffer.from('{"data":'), init.data ?? Buffer.alloc(0), Buffer.from('}')]);
    const inside = init.data === undefined ? undefined : whole.subarray(8, 8 + init.data.length);
    return new MeshEvent({ ...init, data: structured === 'around' ? inside : init.data, structured: whole });
  });

const meta = fc.record({
  position: fc
    .dictionary(text, fc.oneof(text, fc.integer()))
    .map((entries) => Object.assign(Object.create(null), entries)),
  headers: optional(fc.array(fc.tuple(text, fc.oneof(text, bytes)), { maxLength: 5 })).map(
    (entries) =>
      entries && (Object.assign(newExtensions(), Object.fromEntries(entries)) as Record<string, string | Buffer>),
  ),
  key: optional(bytes),
  principal: optional(text),
});

/** Any dead letter: of an event or of poison. */
export const anyLetter: fc.Arbitrary<DeadLetter> = fc.record({
  event: optional(event),
  raw: optional(bytes),
  contentType: optional(text),
  ...{ code: text, message: text, source: text, gateway: text, revision: text, meta },
  ...{ attempts: fc.nat(), receivedAt: fc.nat(), at: fc.nat() },
  ...{ route: optional(text), target: optional(text) },
});
