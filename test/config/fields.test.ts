import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  byteSize,
  duration,
  fieldKinds,
  formatBytes,
  formatDuration,
  secret,
  template,
} from '../../src/adapters/fields.ts';
import { unwrap } from '../../src/config/inspect.ts';

describe('duration', () => {
  test.each([
    ['200ms', 200],
    ['5s', 5_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['PT5S', 5_000],
    ['P1DT2H', 93_600_000],
    ['0s', 0],
  ])('%s', (text, ms) => {
    expect(duration().parse(text)).toBe(ms);
  });

  test.each(['', '5', '5 s', '5sec', 'P', 'PT', 'P1DT', '-5s', '1s ', '25d'])('refuses "%s"', (text) => {
    expect(duration().safeParse(text).success).toBe(false);
  });

  test('refuses numbers, which have no unit, and keeps its bounds', () => {
    expect(duration().safeParse(5).success).toBe(false);
    expect(duration({ minMs: 1_000, maxMs: 60_000 }).safeParse('61s').error?.issues[0]?.message).toBe(
      'expected a duration of 1s to 1m',
    );
  });

  test('a default is text, and every accepted text fits the pattern of the JSON Schema', () => {
    const schema = z.strictObject({ wait: duration().prefault('5s') });
    expect(schema.parse({})).toEqual({ wait: 5_000 });
    const { properties } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
    const wait = properties?.['wait'] as { default: string; pattern: string };
    expect(wait.default).toBe('5s');
    expect('PT5S').toMatch(new RegExp(wait.pattern));
  });

  test('writes itself back', () => {
    for (const ms of [1, 999, 1_000, 1_500, 60_000, 5_400_000, 86_400_000])
      expect(duration().parse(formatDuration(ms))).toBe(ms);
  });
});

describe('byteSize', () => {
  test.each([
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['500KB', 500_000],
    ['1.5 KiB', 1_536],
    ['12B', 12],
    ['12', 12],
    [4_096, 4_096],
  ])('%s', (size, bytes) => {
    expect(byteSize().parse(size)).toBe(bytes);
  });

  test.each(['', '1mb', '1 megabyte', -1, 1.5, true])('refuses %s', (size) => {
    expect(byteSize().safeParse(size).error?.issues[0]?.message).toMatch(/^expected a size such as/);
  });

  test('writes itself back', () => {
    for (const bytes of [1, 1_000, 1_024, 500_000, 2 ** 30]) expect(byteSize().parse(formatBytes(bytes))).toBe(bytes);
  });
});

test('a template is checked where it stands', () => {
  expect(template().parse('/{type}/{subject:-none}')).toBe('/{type}/{subject:-none}');
  expect(template().safeParse('{type').error?.issues[0]).toMatchObject({ params: { code: 'E_TEMPLATE' } });
});

test('the kind of a field stays known under description, default and refinement', () => {
  const hidden = secret()
    .refine((text) => text.length < 9)
    .describe('a password');
  expect(fieldKinds.get(hidden)?.kind).toBe('secret');
  expect(unwrap(hidden.optional()).kind).toBe('secret');
  expect(unwrap(duration().prefault('5s').describe('x')).kind).toBe('duration');
});
