import type { PatternFinding } from './finding.ts';
import { PATTERN_LIMITS } from './limits.ts';

/** What is common to the reading of one pattern. */
interface Reading {
  readonly found: PatternFinding[];
  entries: number;
  stars: number;
}

/** Where in a pattern one is reading; findings are told to it. */
export class Place {
  readonly #reading: Reading;
  readonly path: readonly (string | number)[];
  /** True for the tests of an attribute, which are on text. */
  readonly onAttribute: boolean;

  constructor(path: readonly (string | number)[], onAttribute: boolean, reading: Reading) {
    this.path = path;
    this.onAttribute = onAttribute;
    this.#reading = reading;
  }

  at(part: string | number, onAttribute: boolean = this.onAttribute): Place {
    return new Place([...this.path, part], onAttribute, this.#reading);
  }

  error(code: string, message: string, hint?: string): undefined {
    this.#reading.found.push({ severity: 'error', code, message, path: this.path, hint });
  }

  warn(code: string, message: string, hint?: string): void {
    this.#reading.found.push({ severity: 'warning', code, message, path: this.path, hint });
  }

  unknown(what: string, word: string, known: readonly string[]): undefined {
    this.#reading.found.push({
      severity: 'error',
      code: 'E_PATTERN_OPERATOR',
      message: `"${word}" is not ${what}`,
      path: this.path,
      hint: `known: ${known.join(', ')}`,
      misspelt: { word, known },
    });
  }

  /** Counts fields or tests; false, and told once, where there are too many. */
  count(entries: number): boolean {
    const before = this.#reading.entries;
    this.#reading.entries += entries;
    if (this.#reading.entries <= PATTERN_LIMITS.entries) return true;
    if (before <= PATTERN_LIMITS.entries)
      this.error('E_PATTERN_TOO_LARGE', `the pattern has more than ${PATTERN_LIMITS.entries} fields and values`);
    return false;
  }

  /** Counts the `*` of a wildcard; false, and told, where there are too many. */
  countStars(stars: number): boolean {
    this.#reading.stars += stars;
    if (this.#reading.stars <= PATTERN_LIMITS.stars) return true;
    this.error('E_PATTERN_WILDCARD', `the wildcards of the pattern have more than ${PATTERN_LIMITS.stars} "*"`);
    return false;
  }

  /** Whether equality with a number can be told: beyond 2^53 several numbers have one double. */
  isExact(value: number): boolean {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return true;
    this.error('E_PATTERN_VALUE', 'an integer beyond ±(2^53 - 1) cannot be told from its neighbours', 'use a range');
    return false;
  }
}
