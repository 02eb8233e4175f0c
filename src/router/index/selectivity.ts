import type { Clause } from './alternatives.ts';
import type { Field, Scalar, Term } from './condition.ts';
import { piecesOf } from './parts.ts';

/** How the terms of a set of rules are spread over each field: what the pivots are chosen by. */
export class Selectivity {
  readonly #byField = new Map<Field, Tally>();

  /** Counts the terms of a rule; their fields must be the same objects where they are the same. */
  count(clauses: readonly Clause[]): void {
    for (const clause of clauses) {
      for (const term of clause) {
        let tally = this.#byField.get(term.field);
        if (tally === undefined) {
          tally = new Tally();
          this.#byField.set(term.field, tally);
        }
        tally.count(term);
      }
    }
  }

  /** The clause that lets the fewest rules be candidates, or undefined where there is none. */
  pivot(clauses: readonly Clause[]): Clause | undefined {
    const [only] = clauses;
    if (clauses.length < 2) return only;
    let best: Clause | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const clause of clauses) {
      const cost = this.#costOf(clause);
      if (cost >= least) continue;
      best = clause;
      least = cost;
    }
    return best;
  }

  /** The piece of a text that the fewest rules share. */
  rarestPiece(field: Field, text: string): string {
    return (this.#byField.get(field) as Tally).rarest(text);
  }

  #costOf(clause: Clause): number {
    let cost = 0;
    let extra = 0;
    for (const term of clause) {
      const tally = this.#byField.get(term.field) as Tally;
      const share = tally.shareOf(term);
      // A posting as long as the share in the worst case, found with the chance that the rules themselves suggest.
      cost += share + CHANCE * ((share + 1) / (tally.users + 2));
      extra = Math.max(extra, EXTRA[term.op] + (term.field.kind === 'body' ? BODY : 0));
    }
    return cost + extra;
  }
}

/** What a needless candidate in every event costs, in rules of one posting. */
const CHANCE = 8;
/** What it costs to look into the body at all. */
const BODY = 4;
/** What it costs to look for a term of that kind. */
const EXTRA: Readonly<Record<Term['op'], number>> = {
  exact: 0,
  prefix: 0.5,
  suffix: 0.5,
  folded: 1,
  range: 1,
  contains: 3,
  present: 8,
};

/** Most ends of ranges that are sorted: more would only stand in the way of other work. */
const SAMPLE = 16_384;

class Tally {
  users = 0;
  readonly #counts = new Map<Term['op'], Map<Scalar, number>>();
  readonly #pieces = new Map<string, number>();
  readonly #ends: number[] = [];
  #sorted: Float64Array | undefined;

  count(term: Term): void {
    this.users += 1;
    switch (term.op) {
      case 'range':
        this.#ends.push(term.low, term.high);
        break;
      case 'contains':
        this.#add('contains', term.value);
        for (const piece of piecesOf(term.value)) this.#pieces.set(piece, (this.#pieces.get(piece) ?? 0) + 1);
        break;
      case 'present':
        break;
      default:
        this.#add(term.op, term.value);
    }
  }

  shareOf(term: Term): number {
    switch (term.op) {
      case 'range':
        return this.#overlapping(term.low, term.high);
      case 'present':
        return this.users;
      default:
        return this.#of(term.op, term.value);
    }
  }

  rarest(text: string): string {
    let best = '';
    let least = Number.POSITIVE_INFINITY;
    for (const piece of piecesOf(text)) {
      const count = this.#pieces.get(piece) ?? 0;
      if (count < least) {
        least = count;
        best = piece;
      }
    }
    return best;
  }

  #add(op: Term['op'], value: Scalar): void {
    let counts = this.#counts.get(op);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(op, counts);
    }
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }

  #of(op: Term['op'], value: Scalar): number {
    return this.#counts.get(op)?.get(value) ?? 0;
  }

  /** About how many ranges share a value with this one: half of the ends within it. */
  #overlapping(low: number, high: number): number {
    const every = Math.ceil(this.#ends.length / SAMPLE);
    this.#sorted ??= Float64Array.from(this.#ends.filter((_, at) => at % every === 0)).sort();
    return Math.max(1, (every * (below(this.#sorted, high, true) - below(this.#sorted, low, false))) / 2);
  }
}

/** How many are less than a value, or equal to it if `inclusive`. */
function below(sorted: Float64Array, value: number, inclusive: boolean): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const at = sorted[middle] as number;
    if (at < value || (inclusive && at === value)) from = middle + 1;
    else to = middle;
  }
  return from;
}
