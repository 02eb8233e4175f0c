import type { Clauses } from './alternatives.ts';
import type { Field } from './condition.ts';

/** Makes equal fields one object, so that they can be told apart by identity. */
export class Fields {
  readonly #texts = new Map<string, Field>();
  readonly #integers = new Map<string, Field>();
  readonly #paths = new Map<string, Field>();

  share(alternatives: readonly Clauses[]): readonly Clauses[] {
    return alternatives.map((clauses) =>
      clauses.map((clause) => clause.map((term) => ({ ...term, field: this.#one(term.field) }))),
    );
  }

  #one(field: Field): Field {
    const [known, key] =
      field.kind === 'body'
        ? [this.#paths, JSON.stringify(field.path)]
        : [field.kind === 'text' ? this.#texts : this.#integers, field.name];
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, field);
    return field;
  }
}
