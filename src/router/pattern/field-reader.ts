import { isJson } from '../../core/media-type.ts';
import { elements } from './elements.ts';
import { type FieldsRead, type FieldValue, type FieldValues, readFields } from './field-scanner.ts';
import { FieldNode } from './field-trie.ts';
import type { Subject } from './subject.ts';
import type { Leaf } from './tests.ts';

/** What is known of a body after its fields were read. */
export type BodyState = 'flat' | 'crossed' | 'not-json';

/**
 * Reads the fields that some patterns want out of bodies: once per event for all of them, and without parsing the rest.
 * Fields are numbered from 0 in the order they are asked for.
 */
export class FieldReader {
  readonly #root = new FieldNode('data');
  readonly #fields: FieldValues = { values: [], present: [] };
  #subject: Subject | undefined;
  #state: BodyState = 'flat';

  /** The number of a field of the body, by its path below `data`. Asking again gives the same. */
  slot(path: readonly string[]): number {
    let node = this.#root;
    for (const name of path) node = node.open(name);
    if (node.slot < 0) {
      node.slot = this.#fields.values.length;
      this.#fields.values.push(undefined);
      this.#subject = undefined;
    }
    return node.slot;
  }

  /**
   * Values by number of the field, of the subject that was read last: undefined for nothing, which a map and an empty array
   * are too; an array for several. After `crossed` they hold what stands in all elements together; after `not-json` nothing.
   */
  get values(): readonly FieldValue[] {
    return this.#fields.values;
  }

  /** The numbers of the fields that have a value. */
  get present(): readonly number[] {
    return this.#fields.present;
  }

  /** Reads a body, unless it is that of the subject read last. */
  read(subject: Subject): BodyState {
    if (subject === this.#subject) return this.#state;
    this.#clear();
    this.#state = this.#read(subject);
    this.#subject = subject;
    return this.#state;
  }

  #clear(): void {
    const { values, present } = this.#fields;
    for (const slot of present) values[slot] = undefined;
    present.length = 0;
  }

  #read(subject: Subject): BodyState {
    const { datacontenttype, data } = subject;
    if (datacontenttype !== undefined && !isJson(datacontenttype)) return 'not-json';
    if (data !== undefined) {
      if (data.length === 0) return 'flat';
      const read = readFields(data, this.#root, this.#fields);
      if (read !== 'refused') return read;
      this.#clear();
    }
    const body = subject.json();
    if (body === undefined) return data === undefined ? 'flat' : 'not-json';
    return collectFields(body, this.#root, this.#fields);
  }
}

/** What {@link readFields} gives, from a parsed body. */
export function collectFields(
  body: unknown,
  root: FieldNode,
  { values, present }: FieldValues,
): Exclude<FieldsRead, 'refused'> {
  const open: [unknown, FieldNode][] = [[body, root]];
  let crossed = false;
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const [value, node] = entry;
    if (Array.isArray(value)) {
      let maps = 0;
      for (const element of elements(value)) {
        if (typeof element === 'object' && element !== null) maps += 1;
        open.push([element, node]);
      }
      if (maps > 1 && node.isInner) crossed = true;
    } else if (typeof value === 'object' && value !== null) {
      for (const name of Object.keys(value)) {
        const child = node.named(name);
        if (child !== undefined) open.push([(value as Record<string, unknown>)[name], child]);
      }
    } else if (node.slot >= 0) {
      const before = values[node.slot];
      if (Array.isArray(before)) before.push(value as Leaf);
      else if (before !== undefined) values[node.slot] = [before, value as Leaf];
      else {
        values[node.slot] = value as Leaf;
        present.push(node.slot);
      }
    }
  }
  return crossed ? 'crossed' : 'flat';
}
