import type { FieldReader } from '../pattern/field-reader.ts';
import type { FieldValue } from '../pattern/field-scanner.ts';
import { type FieldIndex, gatherValue } from './field-index.ts';
import type { Candidates } from './posting.ts';

/** Fields of the body, which a reader that all rules share reads once per event. */
export class BodyIndex {
  readonly #reader: FieldReader;
  readonly #slots: number[] = [];
  readonly #bySlot: FieldIndex[] = [];

  constructor(reader: FieldReader) {
    this.#reader = reader;
  }

  set(path: readonly string[], index: FieldIndex): void {
    const slot = this.#reader.slot(path);
    this.#slots.push(slot);
    this.#bySlot[slot] = index;
  }

  gather(into: Candidates): void {
    const reader = this.#reader;
    if (reader.read(into.event) === 'not-json') return;
    const { values, present } = reader;
    const bySlot = this.#bySlot;
    // Whichever are fewer: the fields of the event, or those that rules are found by.
    const slots = present.length < this.#slots.length ? present : this.#slots;
    for (let at = 0; at < slots.length; at += 1) {
      const slot = slots[at] as number;
      const index = bySlot[slot];
      if (index !== undefined) gatherEach(index, values[slot], into);
    }
  }
}

/** Every element of an array counts as a value of the field. */
function gatherEach(index: FieldIndex, value: FieldValue, into: Candidates): void {
  if (typeof value !== 'object' || value === null) {
    if (value !== undefined) gatherValue(index, value, into);
    return;
  }
  for (let at = 0; at < value.length; at += 1) gatherValue(index, value[at] ?? null, into);
}
