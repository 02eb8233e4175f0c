import { describe, expect, test } from 'vitest';
import type { EventDelivery } from '../../../src/core/delivery.ts';
import { hopOf, isSampled, isTraceparent, originOf } from '../../../src/observability/tracing/context.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';

const GOOD = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('a traceparent', () => {
  test.each([GOOD, GOOD.replace(/01$/, '00'), GOOD.replace(/^00/, 'cc'), `${GOOD.replace(/^00/, 'cc')}-more`])(
    'is valid: %s',
    (text) => expect(isTraceparent(text)).toBe(true),
  );

  test.each([
    '',
    GOOD.slice(0, -1),
    `${GOOD}-more`,
    `${GOOD.replace(/^00/, 'cc')}more`,
    GOOD.replace(/^00/, 'ff'),
    GOOD.toUpperCase(),
    GOOD.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
    GOOD.replace('00f067aa0ba902b7', '0'.repeat(16)),
  ])('is not valid: %s', (text) => expect(isTraceparent(text)).toBe(false));

  test('is sampled by the lowest bit of its flags', () => {
    const flags = ['00', '01', '02', '03', 'fe', 'ff'];
    expect(flags.filter((flag) => isSampled(GOOD.replace(/01$/, flag)))).toEqual(['01', '03', 'ff']);
  });
});

test('the hop stands in headers, as text or bytes; the origin in attributes', () => {
  const delivery: EventDelivery = {
    event: jsonEvent(1, { extensions: extensions({ traceparent: GOOD, tracestate: 'a=1' }) }),
    attempt: 1,
    orderingKey: undefined,
    meta: { position: {}, headers: { traceparent: Buffer.from(GOOD), tracestate: 'x'.repeat(3_000) } },
  };
  expect(hopOf(delivery)).toEqual({ traceparent: GOOD, tracestate: undefined });
  expect(originOf(delivery)).toEqual({ traceparent: GOOD, tracestate: 'a=1' });
  const without = { ...delivery, event: jsonEvent(1), meta: { position: {}, headers: { traceparent: 'nonsense' } } };
  expect(hopOf(without)).toBeUndefined();
  expect(originOf(without)).toBeUndefined();
});
