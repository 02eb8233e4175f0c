/** What the index compares: text, number, boolean or null of a body, or the text or Integer that an attribute is. */
export type Scalar = string | number | boolean | null;

/**
 * Where a term looks. `text`: an attribute as filters compare it; `integer`: an attribute as CESQL casts it;
 * `body`: a path in the JSON data, where arrays stand for each of their elements.
 */
export type Field =
  | { readonly kind: 'text' | 'integer'; readonly name: string }
  | { readonly kind: 'body'; readonly path: readonly string[] };

/** A test that an index finds without trying it: a value, the beginning, end or a part of a text, a range, any value. */
export type Term = { readonly field: Field } & (
  | { readonly op: 'exact'; readonly value: Scalar }
  | { readonly op: 'folded' | 'prefix' | 'suffix' | 'contains'; readonly value: string }
  /** Both ends included: a range may be wider than what it stands for. */
  | { readonly op: 'range'; readonly low: number; readonly high: number }
  | { readonly op: 'present' }
);

/**
 * What must hold for an event to match: necessary, not sufficient, since the condition itself is still evaluated. `unknown`
 * says nothing.
 */
export type Condition =
  | { readonly kind: 'term'; readonly term: Term }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'unknown' };

export const UNKNOWN: Condition = { kind: 'unknown' };

export function term(of: Term): Condition {
  return { kind: 'term', term: of };
}

export function all(of: readonly Condition[]): Condition {
  return { kind: 'all', of };
}

export function any(of: readonly Condition[]): Condition {
  return { kind: 'any', of };
}
