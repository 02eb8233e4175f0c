import type { MeshEvent } from '../../core/event.ts';

/** Rules found by a term: one number, a few, or an index of their other terms. */
export type Posting = number | readonly number[] | Subindex;

/** An index of rules that gives those whose terms an event has. */
export interface Subindex {
  gather(into: Candidates): void;
}

/** The rules that an event may match, each once; reused from event to event, so that a match allocates nothing. */
export class Candidates {
  event!: MeshEvent;
  /** Numbers of rules; the first `count` are of this event. */
  readonly numbers: Uint32Array;
  count = 0;
  /** By rule: the event it was added for last. */
  readonly #seen: Uint32Array;
  #stamp = 0;
  #ascending = true;
  /** Indexes that were found and not looked into yet: one at a time, since they share buffers. */
  readonly #open: Subindex[] = [];

  constructor(rules: number) {
    this.numbers = new Uint32Array(rules);
    this.#seen = new Uint32Array(rules);
  }

  /** The rules of an index that the event may match, in the order of the configuration. */
  gather(event: MeshEvent, index: Subindex): void {
    this.#begin(event);
    index.gather(this);
    const open = this.#open;
    for (let next = open.pop(); next !== undefined; next = open.pop()) next.gather(this);
    this.#sort();
  }

  #begin(event: MeshEvent): void {
    this.event = event;
    this.count = 0;
    this.#ascending = true;
    this.#stamp = (this.#stamp + 1) >>> 0;
    if (this.#stamp > 0) return;
    this.#seen.fill(0); // the stamps of 2^32 events are used up
    this.#stamp = 1;
  }

  add(posting: Posting): void {
    if (typeof posting === 'number') this.#add(posting);
    else if ('gather' in posting) this.#open.push(posting);
    else for (let at = 0; at < posting.length; at += 1) this.#add(posting[at] as number);
  }

  #add(rule: number): void {
    if (this.#seen[rule] === this.#stamp) return;
    this.#seen[rule] = this.#stamp;
    if (this.count > 0 && (this.numbers[this.count - 1] as number) > rule) this.#ascending = false;
    this.numbers[this.count] = rule;
    this.count += 1;
  }

  #sort(): void {
    if (this.#ascending) return;
    const { numbers, count } = this;
    if (count > 32) {
      numbers.subarray(0, count).sort();
      return;
    }
    for (let at = 1; at < count; at += 1) {
      const rule = numbers[at] as number;
      let to = at - 1;
      while (to >= 0 && (numbers[to] as number) > rule) {
        numbers[to + 1] = numbers[to] as number;
        to -= 1;
      }
      numbers[to + 1] = rule;
    }
  }
}

/** Rules in ascending order, some perhaps twice. */
export function postingOf(rules: readonly number[]): Posting {
  const [first] = rules;
  const distinct = rules.filter((rule, at) => at === 0 || rule !== rules[at - 1]);
  return distinct.length === 1 && first !== undefined ? first : distinct;
}
