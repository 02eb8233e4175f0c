import { describe, expect, test } from 'vitest';
import { compileWrap, type WrapTemplates } from '../../src/cloudevents/wrap.ts';
import { FairleadError } from '../../src/core/errors.ts';
import type { MeshEvent } from '../../src/core/event.ts';

const FALLBACK = { type: 'com.example.record', source: '/kafka/{topic}' };
const VALUES: Record<string, string> = {
  topic: 'orders',
  key: 'k1',
  odd: 'a\nb',
  spaced: 'line 3/x',
  empty: '',
  when: 'yesterday',
};
const resolve = (name: string) => VALUES[name];

function wrap(as: Partial<WrapTemplates> | undefined, contentType?: string): MeshEvent {
  const all = as === undefined ? undefined : { ...FALLBACK, ...as };
  return compileWrap(all, FALLBACK).wrap(resolve, Buffer.from('x'), contentType, 'orders-0-7');
}

test('without as: the fallback, the position as id, the native content type', () => {
  const event = wrap(undefined, ' text/plain ');
  expect(event).toMatchObject({
    id: 'orders-0-7',
    source: '/kafka/orders',
    type: 'com.example.record',
    datacontenttype: 'text/plain',
  });
  expect([event.time, event.subject, event.data?.toString()]).toEqual([undefined, undefined, 'x']);
});

test('every template', () => {
  const as = {
    type: 't',
    source: '/{topic}',
    subject: '{key}',
    id: 'id-{key}',
    time: '2024-05-01T12:00:00Z',
    datacontenttype: 'a/b',
  };
  expect(wrap(as, 'text/plain')).toMatchObject({
    type: 't',
    source: '/orders',
    subject: 'k1',
    id: 'id-k1',
    time: as.time,
    datacontenttype: 'a/b',
  });
});

test('no data stays no data', () => {
  const event = compileWrap(undefined, FALLBACK).wrap(resolve, undefined, undefined, 'i');
  expect([event.data, event.datacontenttype]).toEqual([undefined, undefined]);
});

test('optional templates without a value are left out; the id falls back', () => {
  const event = wrap({ subject: '{nope}', time: '{empty}', id: '{nope}', datacontenttype: '{nope}' }, 'text/plain');
  expect(event).toMatchObject({ subject: undefined, time: undefined, id: 'orders-0-7', datacontenttype: 'text/plain' });
});

test('a name with spaces makes a URI reference', () => {
  expect(wrap({ source: '/mqtt/{spaced}' }).source).toBe('/mqtt/line%203/x');
});

describe('E_WRAP', () => {
  test.each<[Partial<WrapTemplates>, string]>([
    [{ type: '{nope}.{topic}' }, '"type" is made of {nope}'],
    [{ source: '{nope:-}' }, '"source" is empty'],
    [{ subject: '{odd}' }, '"subject" has characters'],
    [{ time: '{when}' }, '"time" is not an RFC 3339'],
    [{ datacontenttype: 'text/plän' }, '"datacontenttype" is not a media type'],
  ])('%j', (as, message) => {
    expect(() => wrap(as)).toThrow(
      expect.objectContaining({ code: 'E_WRAP', message: expect.stringContaining(message) }),
    );
  });

  test('a broken native content type', () => {
    expect(() => wrap(undefined, 'text/plain\u0000')).toThrow(FairleadError);
  });
});

test('a template that does not parse is found when compiling', () => {
  expect(() => compileWrap({ type: '{', source: '/s' }, FALLBACK)).toThrow(
    expect.objectContaining({ code: 'E_TEMPLATE' }),
  );
});
