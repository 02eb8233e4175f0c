import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshEvent } from '../../src/core/event.ts';
import { decodeDeadLetter, encodeDeadLetter } from '../../src/store/dead-letter.ts';
import type { DeadLetter } from '../../src/store/letter.ts';
import { packDeadLetter, unpackDeadLetter } from '../../src/store/letter-bytes.ts';
import { anyLetter, letter } from './letters.ts';

/** Everything of a letter in a form that compares: absent and undefined are the same, maps have no prototype. */
function plain({ event, meta, ...facts }: DeadLetter): unknown {
  const attributes = event && {
    ...{ id: event.id, source: event.source, type: event.type, subject: event.subject, time: event.time },
    ...{ datacontenttype: event.datacontenttype, dataschema: event.dataschema, data: event.data },
    ...{ structured: event.structured, extensions: Object.entries(event.extensions) },
  };
  const { position, headers, key, principal } = meta;
  const native = headers && Object.entries(headers);
  return { ...facts, event: attributes, position: Object.entries(position), headers: native, key, principal };
}

describe('dead letter as an event', () => {
  test('is a CloudEvent that can be filtered by its attributes', () => {
    const wrapped = encodeDeadLetter(letter());
    expect(wrapped).toMatchObject({
      source: '/fairlead/edge%207',
      type: 'io.fairlead.deadletter.v1',
      subject: 'e-1',
      time: '2023-11-14T22:15:23.456Z',
      datacontenttype: 'application/vnd.fairlead.deadletter',
    });
    expect({ ...wrapped.extensions }).toEqual({
      ...{ dlcode: 'E_KAFKA_TOO_LARGE', dlroute: 'archive', dltarget: 'eu-readings', dlsource: 'readings' },
      ...{ dlattempts: 8, partitionkey: 'ключ-😀' },
    });
    for (const name of Object.keys(wrapped.extensions)) expect(name).toMatch(/^[a-z0-9]+$/);
  });

  test('poison without route and target has neither attribute, and its bytes verbatim', () => {
    const raw = Buffer.from([0xff, 0x00, 0xc0]);
    const wrapped = encodeDeadLetter(
      letter({ event: undefined, raw, route: undefined, target: undefined, attempts: 0 }),
    );
    expect(Object.keys(wrapped.extensions)).toEqual(['dlcode', 'dlsource', 'dlattempts']);
    expect(wrapped.subject).toBeUndefined();
    expect(decodeDeadLetter(wrapped)).toMatchObject({ event: undefined, raw });
  });

  test('keeps the identity: every attribute, extension type, byte and native header comes back (property)', () => {
    expect(plain(decodeDeadLetter(encodeDeadLetter(letter())))).toEqual(plain(letter()));
    fc.assert(
      fc.property(anyLetter, (any) => {
        expect(plain(unpackDeadLetter(packDeadLetter(any)))).toEqual(plain(any));
      }),
      { seed: 20250303, numRuns: 500 },
    );
  });

  test('structured bytes are kept verbatim, and data inside them only once', () => {
    const structured = Buffer.from('{"specversion":"1.0", "id":"e-1","source":"/s","type":"t","data":{"a": 1.0}}');
    const data = structured.subarray(structured.indexOf('{"a"'), structured.length - 1);
    const init = { id: 'e-1', source: '/s', type: 't', datacontenttype: 'application/json' };
    const packed = packDeadLetter(letter({ event: new MeshEvent({ ...init, structured, data }) }));
    const { event } = unpackDeadLetter(packed);
    expect(event?.structured?.equals(structured)).toBe(true);
    expect(event?.data?.toString()).toBe('{"a": 1.0}');
    expect(packed.toString('latin1').split('{"a": 1.0}')).toHaveLength(2);
  });

  test('the same obligation given up again has the same id, another has another', () => {
    const { id } = encodeDeadLetter(letter());
    expect(encodeDeadLetter(letter({ at: 5, attempts: 9, receivedAt: 1, revision: 'other' })).id).toBe(id);
    const others = [
      letter({ route: 'other' }),
      letter({ target: undefined }),
      letter({ source: 'other' }),
      letter({ meta: { position: { topic: 'readings', partition: 3, offset: '43' } } }),
      letter({ event: letter().event?.with({ id: 'e-2' }) }),
      letter({ event: undefined, raw: Buffer.from('a') }),
      letter({ event: undefined, raw: Buffer.from('b') }),
    ];
    expect(new Set([id, ...others.map((other) => encodeDeadLetter(other).id)]).size).toBe(others.length + 1);
  });

  test('anything else is refused with a code, whatever the bytes (property)', () => {
    const refused = expect.objectContaining({ code: 'E_DEAD_LETTER_FORMAT' });
    const other = new MeshEvent({ id: '1', source: '/s', type: 'com.acme.reading', data: packDeadLetter(letter()) });
    expect(() => decodeDeadLetter(other)).toThrow(refused);
    expect(() => decodeDeadLetter(encodeDeadLetter(letter()).with({ data: undefined }))).toThrow(refused);
    const packed = packDeadLetter(letter());
    fc.assert(
      fc.property(fc.nat(packed.length - 1), (length) => {
        expect(() => unpackDeadLetter(packed.subarray(0, length))).toThrow(refused);
      }),
      { seed: 20250304, numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = Buffer.from(JSON.stringify(value));
        const head = Buffer.alloc(4);
        head.writeUInt32BE(text.length);
        expect(() => unpackDeadLetter(Buffer.concat([head, text]))).toThrow(refused);
      }),
      { seed: 20250305, numRuns: 200 },
    );
  });
});
