import fc from 'fast-check';
import { expect, test } from 'vitest';
import { load, memoryConfig } from './load.ts';

const PIECES = [
  '\t',
  ' ',
  '\n',
  '{',
  '}',
  '[',
  ']',
  ':',
  '- ',
  '&a ',
  '*a',
  '!x ',
  '$' + '{',
  '"',
  "'",
  '#',
  '|',
  '? ',
  '<<: ',
  '__proto__: 1',
  '\0',
  'ÿ',
  '9e999',
  '~',
];

/** A valid configuration with a few pieces put in, cut out or doubled at random places. */
const mutated = fc
  .array(fc.tuple(fc.nat(400), fc.nat(12), fc.constantFrom(...PIECES)), { minLength: 1, maxLength: 4 })
  .map((edits) =>
    edits.reduce(
      (text, [at, cut, piece]) => `${text.slice(0, at % text.length)}${piece}${text.slice((at % text.length) + cut)}`,
      memoryConfig(),
    ),
  );

test('whatever the text, loading ends in a configuration or in errors with a place in the file', () => {
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string({ unit: 'binary', maxLength: 60 })), (text) => {
      const { config, findings } = load(text);
      const errors = findings.filter(({ severity }) => severity === 'error');
      expect(config === undefined).toBe(errors.length > 0);
      const lineCount = text.split('\n').length;
      for (const { line, column, message } of findings) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lineCount + 1);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toMatch(/undefined|\[object|Invalid input/);
      }
    }),
    { seed: 20_260_801, numRuns: 400 },
  );
});
