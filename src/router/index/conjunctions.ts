import type { MeshEvent } from '../../core/event.ts';
import { attributeText } from '../attribute.ts';
import type { FieldReader } from '../pattern/field-reader.ts';
import type { FieldValue } from '../pattern/field-scanner.ts';
import { foldCase } from '../pattern/fold.ts';
import type { Condition, Scalar, Term } from './condition.ts';

/** The terms of which all hold, where that is all that a condition asks for; undefined where it asks for something else. */
export function decisiveTerms(condition: Condition): readonly Term[] | undefined {
  if (condition.kind === 'term') return condition.decides ? [condition.term] : undefined;
  if (condition.kind !== 'all') return undefined;
  const terms: Term[] = [];
  for (const part of condition.of) {
    const found = decisiveTerms(part);
    if (found === undefined) return undefined;
    terms.push(...found);
  }
  return terms;
}

/**
 * Rules that ask for terms and nothing else, in lists that they share. Of many rules each is evaluated so seldom that nothing
 * of it is in a cache: closures would be ten places in memory to wait for, this is two.
 */
export class Conjunctions {
  readonly #reader: FieldReader;
  /** By rule: where its terms begin plus one, or 0; they end before a term without an operator. */
  readonly #starts: Int32Array;
  readonly #ops: (Term['op'] | undefined)[] = [];
  /** By term: its slot in the body, or the number of its attribute as -1, -2, … */
  readonly #fields: number[] = [];
  readonly #operands: Scalar[] = [];
  readonly #attributes: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Texts that are equal are one, so that those of many rules stay in the cache. */
  readonly #texts = new Map<string, string>();

  constructor(rules: number, reader: FieldReader) {
    this.#reader = reader;
    this.#starts = new Int32Array(rules);
  }

  /** Takes a rule over. */
  set(rule: number, terms: readonly Term[]): void {
    this.#starts[rule] = this.#ops.length + 1;
    for (const term of terms) this.#add(term);
    this.#ops.push(undefined);
    this.#fields.push(0);
    this.#operands.push(null);
  }

  has(rule: number): boolean {
    return this.#starts[rule] !== 0;
  }

  /** Undefined: fields of several elements of an array were read, so that the rule must be evaluated on the whole body. */
  test(rule: number, event: MeshEvent): boolean | undefined {
    const ops = this.#ops;
    let at = (this.#starts[rule] as number) - 1;
    for (let op = ops[at]; op !== undefined; op = ops[at]) {
      const field = this.#fields[at] as number;
      const operand = this.#operands[at] as Scalar;
      if (field < 0) {
        const value = event.attribute(this.#attributes[-1 - field] as string);
        if (value === undefined || !holds(op, attributeText(value), operand)) return false;
      } else {
        const state = this.#reader.read(event);
        if (state === 'crossed') return undefined;
        if (state === 'not-json' || !holdsFor(op, this.#reader.values[field], operand)) return false;
      }
      at += 1;
    }
    return true;
  }

  #add(term: Term): void {
    const { field, op } = term;
    this.#ops.push(op);
    this.#fields.push(field.kind === 'body' ? this.#reader.slot(field.path) : -1 - this.#attribute(field.name));
    const operand = 'value' in term ? term.value : null;
    this.#operands.push(typeof operand === 'string' ? this.#shared(operand) : operand);
  }

  #attribute(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#attributes.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }

  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }

  /** Call when all rules are there. */
  seal(): void {
    this.#texts.clear();
    this.#numbers.clear();
  }
}

function holdsFor(op: Term['op'], value: FieldValue, operand: Scalar): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'object' || value === null) return holds(op, value, operand);
  for (const one of value) if (holds(op, one, operand)) return true;
  return false;
}

/** Only terms that decide come here: no ranges and no parts. */
function holds(op: Term['op'], value: Scalar, operand: Scalar): boolean {
  if (op === 'exact') return value === operand;
  if (op === 'present') return true;
  if (typeof value !== 'string') return false;
  const text = operand as string;
  if (op === 'prefix') return value.startsWith(text);
  if (op === 'suffix') return value.endsWith(text);
  return foldCase(value) === text;
}
