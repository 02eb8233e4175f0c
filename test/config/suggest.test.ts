import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { didYouMean, editDistance } from '../../src/config/suggest.ts';

describe('did you mean', () => {
  test.each([
    ['tpoic', 'topic'],
    ['Topic', 'topic'],
    ['brokr', 'broker'],
    ['boot', 'bootstrapServers'],
    ['xyz', undefined],
    ['', undefined],
  ])('%s → %s', (word, expected) => {
    const hint = didYouMean(word, ['topic', 'broker', 'bootstrapServers', 'encoding']);
    expect(hint).toBe(expected === undefined ? undefined : `did you mean "${expected}"?`);
  });

  test('the distance is a metric between short texts', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(editDistance(a, b, 2)).toBe(Math.min(distance, 2) === 2 ? editDistance(a, b, 2) : distance);
      }),
    );
  });
});
