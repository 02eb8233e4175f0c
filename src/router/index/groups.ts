import { Affixes } from './affixes.ts';
import type { Clause, Clauses } from './alternatives.ts';
import type { Scalar, Term } from './condition.ts';
import type { FieldIndex } from './field-index.ts';
import { Parts } from './parts.ts';
import { type Posting, postingOf } from './posting.ts';
import { type Range, Ranges } from './ranges.ts';
import type { RuleIndex } from './rule-index.ts';
import type { Selectivity } from './selectivity.ts';
import { STEP, type Steps, sortedByKey } from './slices.ts';

/** One alternative of a rule. The fields of all entries of an index are the same objects where they are the same. */
export interface Entry {
  readonly rule: number;
  readonly clauses: Clauses;
}

/** An entry with the clause it is found by. */
export interface Pivoted extends Entry {
  readonly pivot: Clause;
}

/** Builds an index of the entries that share a term, or gives undefined where a list of them is as good. */
export type Split = (found: readonly Pivoted[]) => Steps<RuleIndex> | undefined;

type TextOp = 'exact' | 'folded' | 'prefix' | 'suffix' | 'contains';

/** The entries whose pivots look at one field, by operator and value. */
export class Groups {
  readonly #byOp = new Map<TextOp, Map<Scalar, Pivoted[]>>();
  readonly #ranges = new Map<string, { low: number; high: number; found: Pivoted[] }>();
  readonly #present: Pivoted[] = [];
  /** By text that is looked for: the piece it is found by. */
  readonly #pieces = new Map<string, string>();

  add(term: Term, entry: Pivoted, selectivity: Selectivity): void {
    switch (term.op) {
      case 'present':
        this.#present.push(entry);
        break;
      case 'range':
        this.#addRange(term.low, term.high, entry);
        break;
      case 'contains':
        this.#pieces.set(term.value, selectivity.rarestPiece(term.field, term.value));
        this.#add(term.op, term.value, entry);
        break;
      default:
        this.#add(term.op, term.value, entry);
    }
  }

  #add(op: TextOp, value: Scalar, entry: Pivoted): void {
    let groups = this.#byOp.get(op);
    if (groups === undefined) {
      groups = new Map();
      this.#byOp.set(op, groups);
    }
    const found = groups.get(value);
    if (found === undefined) groups.set(value, [entry]);
    else found.push(entry);
  }

  #addRange(low: number, high: number, entry: Pivoted): void {
    const key = `${low} ${high}`;
    const found = this.#ranges.get(key);
    if (found === undefined) this.#ranges.set(key, { low, high, found: [entry] });
    else found.found.push(entry);
  }

  *build(split: Split): Steps<FieldIndex> {
    return {
      exact: yield* this.#map('exact', split),
      folded: yield* this.#map('folded', split),
      prefix: yield* this.#affixes('prefix', split),
      suffix: yield* this.#affixes('suffix', split),
      contains: yield* this.#parts(split),
      range: yield* this.#rangesOf(split),
      present: this.#present.length === 0 ? undefined : yield* posting(this.#present, split),
    };
  }

  *#map(op: 'exact' | 'folded', split: Split): Steps<ReadonlyMap<Scalar, Posting> | undefined> {
    const groups = this.#byOp.get(op);
    if (groups === undefined) return undefined;
    // In place: a map of the same keys would be grown and hashed once more.
    const postings = groups as Map<Scalar, Posting | Pivoted[]>;
    let done = 0;
    for (const [value, found] of groups) {
      postings.set(value, yield* posting(found, split));
      done += 1;
      if (done % STEP === 0) yield;
    }
    return postings as ReadonlyMap<Scalar, Posting>;
  }

  *#affixes(op: 'prefix' | 'suffix', split: Split): Steps<Affixes | undefined> {
    const groups = this.#byOp.get(op);
    if (groups === undefined) return undefined;
    const affixes = new Affixes(groups.size, op === 'suffix');
    let done = 0;
    for (const [text, found] of groups) {
      affixes.set(text as string, yield* posting(found, split));
      done += 1;
      if (done % STEP === 0) yield;
    }
    return affixes;
  }

  *#parts(split: Split): Steps<Parts | undefined> {
    const groups = this.#byOp.get('contains');
    if (groups === undefined) return undefined;
    const parts = new Parts(this.#pieces.size);
    let done = 0;
    for (const [text, piece] of this.#pieces) {
      parts.set(text, piece, yield* posting(groups.get(text) as Pivoted[], split));
      done += 1;
      if (done % STEP === 0) yield;
    }
    return parts;
  }

  *#rangesOf(split: Split): Steps<Ranges | undefined> {
    if (this.#ranges.size === 0) return undefined;
    const ranges: Range[] = [];
    for (const { low, high, found } of this.#ranges.values()) {
      ranges.push({ low, high, posting: yield* posting(found, split) });
      if (ranges.length % STEP === 0) yield;
    }
    const lows = new Float64Array(ranges.length);
    for (let at = 0; at < ranges.length; at += 1) lows[at] = (ranges[at] as Range).low;
    const order = yield* sortedByKey(lows);
    const sorted: Range[] = [];
    for (const at of order) sorted.push(ranges[at] as Range);
    yield;
    return new Ranges(sorted);
  }
}

function* posting(found: readonly Pivoted[], split: Split): Steps<Posting> {
  const steps = split(found);
  if (steps !== undefined) return yield* steps;
  return postingOf(found.map(({ rule }) => rule));
}
