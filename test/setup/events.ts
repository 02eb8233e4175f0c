import { randomBytes, randomUUID } from 'node:crypto';
import { MeshEvent, newExtensions } from '../../src/core/event.ts';

/** A plain JSON event for tests; `over` replaces parts. */
export function jsonEvent(n: number, over: Partial<ConstructorParameters<typeof MeshEvent>[0]> = {}): MeshEvent {
  return new MeshEvent({
    id: `${n}-${randomUUID()}`,
    source: '/test/suite',
    type: 'test.reading',
    time: '2026-01-02T03:04:05.123456789+02:00',
    datacontenttype: 'application/json',
    data: Buffer.from(JSON.stringify({ n, celsius: n % 100 })),
    ...over,
  });
}

/** Extensions from an object literal, without a prototype. */
export function extensions(
  values: Record<string, string | number | boolean | Buffer>,
): Record<string, string | number | boolean | Buffer> {
  return Object.assign(newExtensions(), values);
}

/**
 * The mixed load of the pair matrix: JSON, text and binary data, unicode attributes and bodies, empty and absent data,
 * `partitionkey` over 16 keys, typed extensions.
 */
export function mixedEvent(n: number): MeshEvent {
  const ext = extensions({ partitionkey: `key-${n % 16}`, sequence: String(n), comexample: `ünï-${n} 😀` });
  const base = { subject: n % 3 === 0 ? `sübject/${n}` : undefined, extensions: ext };
  switch (n % 6) {
    case 0:
      return jsonEvent(n, base);
    case 1:
      return jsonEvent(n, {
        ...base,
        datacontenttype: 'text/plain; charset=utf-8',
        data: Buffer.from(`Grüße € 😀 ${n}`),
      });
    case 2:
      return jsonEvent(n, { ...base, datacontenttype: 'application/octet-stream', data: randomBytes(64 + (n % 200)) });
    case 3:
      return jsonEvent(n, { ...base, datacontenttype: undefined, data: undefined, time: undefined });
    case 4:
      return jsonEvent(n, {
        ...base,
        dataschema: 'https://example.com/schema#v1',
        data: Buffer.from('{"big":12345678901234567890,"one":1.0}'),
      });
    default:
      return jsonEvent(n, { ...base, datacontenttype: 'application/octet-stream', data: Buffer.alloc(0) });
  }
}

/** What identity means: every attribute, and the data byte for byte (no data and empty data are both zero bytes). */
export function identity(event: MeshEvent): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const name of ['id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema']) {
    const value = event.attribute(name);
    if (value !== undefined) attributes[name] = value;
  }
  for (const [name, value] of Object.entries(event.extensions)) attributes[name] = String(value);
  return { ...attributes, $data: (event.data ?? Buffer.alloc(0)).toString('base64') };
}
