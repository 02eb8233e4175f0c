/** One end of a range. */
export interface Bound {
  readonly value: number;
  readonly inclusive: boolean;
}

/** A block of addresses: one word of 32 bits for IPv4, four for IPv6. */
export interface Network {
  readonly words: readonly number[];
  /** Leading bits that count. */
  readonly bits: number;
  /** As it was written. */
  readonly text: string;
}

/**
 * A test of one value: text, number, boolean or null of the body, or an attribute as its canonical text. `exact` is by type
 * and value; of an attribute it always holds text.
 */
export type PatternTest =
  | { readonly kind: 'exact'; readonly value: string | number | boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'prefix' | 'suffix'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'equals-ignore-case'; readonly value: string }
  /** `=` has both ends, inclusive and equal. */
  | { readonly kind: 'numeric'; readonly min: Bound | undefined; readonly max: Bound | undefined }
  /** False: the one test that an absent field passes. True: every value passes. */
  | { readonly kind: 'exists'; readonly value: boolean }
  /** The texts between the `*`, without escapes: one more than there are `*`. */
  | { readonly kind: 'wildcard'; readonly segments: readonly string[] }
  | { readonly kind: 'cidr'; readonly network: Network }
  /** There is a value and it passes none of these. */
  | { readonly kind: 'anything-but'; readonly tests: readonly PatternTest[] };

/** A field with tests of which one must pass, for one of its values where the event has an array there. */
export interface TestsNode {
  readonly kind: 'tests';
  readonly name: string;
  /** From the top: `['type']`, `['data', 'celsius']`. */
  readonly path: readonly string[];
  readonly tests: readonly PatternTest[];
}

/** A field with fields of its own, which must all match in one element where the event has an array there. */
export interface NestedNode {
  readonly kind: 'nested';
  readonly name: string;
  readonly path: readonly string[];
  readonly inner: PatternNode;
}

/** Fields that all match, and of each group of `$or` one alternative. */
export interface PatternNode {
  readonly fields: readonly (TestsNode | NestedNode)[];
  readonly or: readonly (readonly PatternNode[])[];
}
