import type { Condition, Term } from './condition.ts';

/** Terms of which one must hold; none: nothing ever does. */
export type Clause = readonly Term[];
/** Clauses that must all hold; none: nothing is known. */
export type Clauses = readonly Clause[];

/** Most alternatives that one condition is written out into; beyond them an OR is one clause. */
const MAX_ALTERNATIVES = 16;

/** A condition as alternatives of which one must hold. Each is indexed by itself, by the best of its clauses. */
export function alternativesOf(condition: Condition): readonly Clauses[] {
  switch (condition.kind) {
    case 'unknown':
      return [[]];
    case 'term':
      return [[[condition.term]]];
    case 'all':
      return together(condition.of);
    case 'any':
      return either(condition);
  }
}

function together(parts: readonly Condition[]): readonly Clauses[] {
  let product: readonly Clauses[] = [[]];
  for (const part of parts) {
    const factors = alternativesOf(part);
    if (product.length * factors.length <= MAX_ALTERNATIVES) {
      product = product.flatMap((left) => factors.map((right) => [...left, ...right]));
      continue;
    }
    const clause = clauseOf(part);
    if (clause !== undefined) product = product.map((left) => [...left, clause]);
  }
  return product;
}

function either(condition: Condition & { kind: 'any' | 'all' }): readonly Clauses[] {
  const parts = condition.of;
  if (parts.every(({ kind }) => kind === 'term')) {
    const clause = clauseOf(condition);
    return clause === undefined ? [[]] : [[clause]];
  }
  const alternatives = parts.flatMap(alternativesOf);
  if (alternatives.some((clauses) => clauses.length === 0)) return [[]];
  if (alternatives.length <= MAX_ALTERNATIVES) return alternatives;
  const clause = clauseOf(condition);
  return clause === undefined ? [[]] : [[clause]];
}

/** One clause that must hold, chosen without knowing the other rules; undefined where nothing is known. */
function clauseOf(condition: Condition): Clause | undefined {
  switch (condition.kind) {
    case 'unknown':
      return undefined;
    case 'term':
      return [condition.term];
    case 'all': {
      let best: Clause | undefined;
      for (const part of condition.of) {
        const clause = clauseOf(part);
        if (clause !== undefined && (best === undefined || weigh(clause) < weigh(best))) best = clause;
      }
      return best;
    }
    case 'any': {
      const terms: Term[] = [];
      for (const part of condition.of) {
        const clause = clauseOf(part);
        if (clause === undefined) return undefined;
        for (const one of clause) terms.push(one);
      }
      return terms;
    }
  }
}

function weigh(clause: Clause): number {
  return clause.reduce((sum, one) => sum + weight(one), 0);
}

/** How many events a term lets through, guessed from its kind alone: less is better. */
function weight(one: Term): number {
  const body = one.field.kind === 'body' ? 1 : 0;
  switch (one.op) {
    case 'exact':
    case 'folded':
      return 1 + body;
    case 'prefix':
    case 'suffix':
    case 'contains':
      return 2 + 8 / (1 + one.value.length) + body;
    case 'range':
      return 6 + body;
    case 'present':
      return 20 + body;
  }
}
