/** What the index compares: text, number, boolean or null of a body, or the text of an attribute. */
export type Scalar = string | number | boolean | null;

/**
 * Where a term looks: at an attribute, as the text that filters compare, or at a path in the JSON data, where arrays stand
 * for each of their elements.
 */
export type Field =
  | { readonly kind: 'attribute'; readonly name: string }
  | { readonly kind: 'body'; readonly path: readonly string[] };

/** A test that an index finds without trying it: a value, the beginning, end or a part of a text, a range, any value. */
export type Term = { readonly field: Field } & (
  | { readonly op: 'exact'; readonly value: Scalar }
  | { readonly op: 'folded' | 'prefix' | 'suffix' | 'contains'; readonly value: string }
  /** Of a number, or of what a text or Boolean is as one. Both ends count: it may be wider than what it stands for. */
  | { readonly op: 'range'; readonly low: number; readonly high: number }
  | { readonly op: 'present' }
);

/**
 * What must hold for an event to match: necessary, and not sufficient unless it `decides`, so that the rule itself is still
 * evaluated. `unknown` says nothing.
 */
export type Condition =
  | { readonly kind: 'term'; readonly term: Term; readonly decides: boolean }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'unknown' };

export const UNKNOWN: Condition = { kind: 'unknown' };

/** A term that is necessary. */
export function term(of: Term): Condition {
  return { kind: 'term', term: of, decides: false };
}

/** A term that is necessary and sufficient. */
export function decisive(of: Term): Condition {
  return { kind: 'term', term: of, decides: true };
}

/** Whether one of its terms is all that a condition asks for, so that whoever has it matches. */
export function isDecided(condition: Condition): boolean {
  switch (condition.kind) {
    case 'unknown':
      return false;
    case 'term':
      return condition.decides;
    case 'any':
      return condition.of.every(({ kind }) => kind === 'term') && condition.of.every(isDecided);
    case 'all':
      return condition.of.length === 1 && condition.of.every(isDecided);
  }
}

export function all(of: readonly Condition[]): Condition {
  return { kind: 'all', of };
}

export function any(of: readonly Condition[]): Condition {
  return { kind: 'any', of };
}

/** A text that begins with the first part, ends with the last and holds those between. An empty one says nothing. */
export function inText(field: Field, parts: readonly string[]): Condition {
  const [head = ''] = parts;
  const tail = parts.at(-1) ?? '';
  const longest = parts.slice(1, -1).reduce((best, part) => (part.length > best.length ? part : best), '');
  const conditions: Condition[] = [];
  if (head !== '') conditions.push(term({ field, op: 'prefix', value: head }));
  if (tail !== '') conditions.push(term({ field, op: 'suffix', value: tail }));
  if (longest !== '') conditions.push(term({ field, op: 'contains', value: longest }));
  return conditions.length === 0 ? term({ field, op: 'present' }) : all(conditions);
}
