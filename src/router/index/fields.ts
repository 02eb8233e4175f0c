import type { Clauses } from './alternatives.ts';
import type { Field } from './condition.ts';

/** Makes equal fields one object, so that they can be told apart by identity. */
export class Fields {
  readonly #attributes = new Map<string, Field>();
  readonly #paths = new Map<string, Field>();

  share(alternatives: readonly Clauses[]): readonly Clauses[] {
    return alternatives.map((clauses) =>
      clauses.map((clause) => clause.map((term) => ({ ...term, field: this.#one(term.field) }))),
    );
  }

  #one(field: Field): Field {
    const known = field.kind === 'body' ? this.#paths : this.#attributes;
    const key = field.kind === 'body' ? JSON.stringify(field.path) : field.name;
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, field);
    return field;
  }
}
