import { describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../src/core/event.ts';
import { extensions, identity, jsonEvent, mixedEvent } from '../setup/events.ts';

export interface CodecHarness {
  readonly kind: string;
  /** Round-trips an event through the binding's native form; one entry per content mode it can decode again. */
  readonly modes: Readonly<Record<string, (event: MeshEvent) => MeshEvent>>;
}

const CASES: Readonly<Record<string, () => MeshEvent>> = {
  'percent and quotes stay literal': () =>
    jsonEvent(1, { extensions: extensions({ a: '100%20', b: 'a "b"', c: '%41' }) }),
  'unicode in every attribute': () =>
    jsonEvent(2, { id: 'ïd-€-😀', subject: 'süb/ject', extensions: extensions({ x: '日本語' }) }),
  'sub-microsecond time with an offset': () => jsonEvent(3, { time: '2026-01-02T03:04:05.123456789+02:00' }),
  'no data, no content type': () => jsonEvent(4, { data: undefined, datacontenttype: undefined }),
  'bytes without a content type': () =>
    jsonEvent(5, { data: Buffer.from([0, 255, 1, 128]), datacontenttype: undefined }),
  'digits of numbers': () => jsonEvent(6, { data: Buffer.from('[12345678901234567890,1.0,1e3]') }),
  'falsy JSON data': () => jsonEvent(7, { data: Buffer.from('0') }),
  'JSON null as data': () => jsonEvent(8, { data: Buffer.from('null') }),
  'a JSON type whose bytes are not JSON': () => jsonEvent(9, { data: Buffer.from('{broken') }),
  'text with control characters': () =>
    jsonEvent(10, { datacontenttype: 'text/plain', data: Buffer.from('a\u0001b\r\n\u0000') }),
  'typed extensions': () => jsonEvent(11, { extensions: extensions({ flag: true, count: -2147483648, zero: 0 }) }),
  '64 KiB of data': () => jsonEvent(12, { datacontenttype: 'application/octet-stream', data: Buffer.alloc(65_536, 7) }),
};

/** What every codec keeps, whatever the binding. */
export function codecSuite(harness: CodecHarness): void {
  for (const [mode, roundTrip] of Object.entries(harness.modes)) {
    describe(`codec conformance: ${harness.kind} ${mode}`, () => {
      for (const [name, make] of Object.entries(CASES)) {
        test(name, () => {
          const event = make();
          expect(identity(roundTrip(event))).toEqual(identity(event));
        });
      }
      test('the mixed load', () => {
        for (let n = 0; n < 60; n += 1) {
          const event = mixedEvent(n);
          expect(identity(roundTrip(event))).toEqual(identity(event));
        }
      });
    });
  }
}
