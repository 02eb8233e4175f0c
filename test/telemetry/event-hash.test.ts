import { expect, test } from 'vitest';
import { eventHash } from '../../src/telemetry/event-hash.ts';

test('is the same for the same event, below 2⁵³, and never twice among a million others', () => {
  expect(eventHash('/a', 'b')).toBe(eventHash('/a', 'b'));
  const seen = new Set<number>();
  for (let n = 0; n < 1_000_000; n += 1) seen.add(eventHash('/orders', `${n}`));
  expect(seen.size).toBe(1_000_000);
  for (const hash of seen) if (!Number.isSafeInteger(hash) || hash < 0) throw new Error(`${hash} is out of range`);
});

test('tells where the source ends', () => {
  expect(eventHash('/a', 'b1')).not.toBe(eventHash('/ab', '1'));
  expect(eventHash('/é', '1')).not.toBe(eventHash('/e', '1'));
});
