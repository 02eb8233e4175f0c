import { expect, test } from 'vitest';
import { parseDuration } from '../../src/core/duration.ts';

test.each([
  ['200ms', 200],
  ['5s', 5_000],
  ['1.5s', 1_500],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['PT5S', 5_000],
  ['PT0.5S', 500],
  ['P1DT2H', 93_600_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '5', 's', '5 s', '-5s', '5S', 'P', 'PT', 'P1Y', '1h 30m', '5s!'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
