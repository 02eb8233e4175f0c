import fc from 'fast-check';
import { buildEvent } from '../../src/cloudevents/attributes.ts';
import { isText } from '../../src/cloudevents/values.ts';
import type { AttributeValue, MeshEvent } from '../../src/core/event.ts';

/** A null-prototype record with the required attributes. */
export function attributes(more: Record<string, AttributeValue> = {}): Record<string, AttributeValue> {
  return Object.assign(Object.create(null), { specversion: '1.0', id: '1', source: '/s', type: 't', ...more });
}

/** An event's parts in a form that compares by value. */
export function parts(event: MeshEvent): unknown {
  const { id, source, type, subject, time, datacontenttype, dataschema } = event;
  const extensions = Object.fromEntries(
    Object.entries(event.extensions).map(([name, value]) => [
      name,
      Buffer.isBuffer(value) ? value.toString('base64') : value,
    ]),
  );
  const data = event.data === undefined ? undefined : event.data.toString('hex');
  return { id, source, type, subject, time, datacontenttype, dataschema, extensions, data };
}

/** Any string that CloudEvents allows, with quotes, backslashes, percent signs and other planes in it. */
export const text: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    fc.constantFrom(
      '100%',
      '%41',
      '"a \\"b\\""',
      'Euro € 😀',
      '__proto__',
      ' lead',
      'trail ',
      '\\',
      '\u{10ffff}'.slice(0, 0) || 'é',
    ),
  )
  .filter((value) => value !== '' && isText(value));

const uri = text.map((value) => value.replaceAll(' ', '+'));

const time = fc.constantFrom(
  '2024-02-29T23:59:60Z',
  '2024-05-01T12:00:00.123456789+02:00',
  '1999-12-31t00:00:00.000z',
  '2024-05-01T12:00:00-00:00',
);

const name = fc
  .stringMatching(/^[a-z0-9]{1,12}$/)
  .filter((found) => !/^(data|id|source|type|specversion|subject|time|datacontenttype|dataschema)$/.test(found));

const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  text,
  fc.constant(''),
  fc.boolean(),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);

const contentType = fc.constantFrom(
  'application/json',
  'Application/Problem+JSON; charset=utf-8',
  'text/plain',
  'text/html; charset=ISO-8859-1',
  'application/octet-stream',
  'application/cloudevents+json',
);

const data = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.json({ maxDepth: 4 }).map((json) => Buffer.from(json)),
  fc.string({ unit: 'binary', maxLength: 40 }).map((found) => Buffer.from(found)),
  fc
    .constantFrom(
      '',
      'null',
      '0',
      'false',
      '""',
      '{"a":1}\n',
      ' [1]',
      '1.0',
      '12345678901234567890',
      '\ufeff{}',
      '{"a":1,}',
      '{}\ufffe',
    )
    .map((found) => Buffer.from(found)),
);

/** Any event, as a binding or an `as:` block could make it. */
export const event: fc.Arbitrary<MeshEvent> = fc
  .record(
    {
      id: text,
      source: uri,
      type: text,
      subject: text,
      time,
      dataschema: uri,
      datacontenttype: contentType,
      extensions: fc.dictionary(name, value, { maxKeys: 5 }),
      data,
    },
    { requiredKeys: ['id', 'source', 'type', 'extensions'] },
  )
  .map(({ extensions, data: bytes, ...rest }) => buildEvent(attributes({ ...extensions, ...rest }), bytes));
