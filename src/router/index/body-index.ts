import type { Scalar } from './condition.ts';
import { type FieldIndex, gatherValue } from './field-index.ts';
import type { Candidates } from './posting.ts';

/** Fields of the body by their paths, as a tree that is walked together with the body. */
export class BodyIndex {
  #here: FieldIndex | undefined;
  readonly #below = new Map<string, BodyIndex>();

  set(path: readonly string[], index: FieldIndex): void {
    const [name, ...rest] = path;
    if (name === undefined) {
      this.#here = index;
      return;
    }
    let below = this.#below.get(name);
    if (below === undefined) {
      below = new BodyIndex();
      this.#below.set(name, below);
    }
    below.set(rest, index);
  }

  /** Every element of an array counts as a value of the field. */
  gather(value: unknown, into: Candidates): void {
    if (Array.isArray(value)) this.#each(value, into);
    else if (typeof value === 'object' && value !== null)
      this.#inside(value as Readonly<Record<string, unknown>>, into);
    else if (this.#here !== undefined && value !== undefined) gatherValue(this.#here, value as Scalar, into);
  }

  #each(elements: readonly unknown[], into: Candidates): void {
    // Arrays in arrays may be as deep as the body is long: a stack of our own.
    const open: (readonly unknown[])[] = [elements];
    for (let array = open.pop(); array !== undefined; array = open.pop()) {
      for (const element of array) {
        if (Array.isArray(element)) open.push(element);
        else this.gather(element, into);
      }
    }
  }

  #inside(object: Readonly<Record<string, unknown>>, into: Candidates): void {
    const below = this.#below;
    if (below.size <= MANY) {
      for (const [name, index] of below) {
        const value = object[name];
        if (value !== undefined) index.gather(value, into);
      }
      return;
    }
    for (const name in object) {
      const index = below.get(name);
      if (index !== undefined) index.gather(object[name], into);
    }
  }
}

/** With more fields than these it is the event's that are looked up in the index, not the other way round. */
const MANY = 16;
