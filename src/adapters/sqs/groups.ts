import type { Entry } from './entry.ts';

/**
 * FIFO: one event of a message group is out at a time, the later ones of the same receive wait here. When it fails they
 * go back with it, untouched, so that the group comes again in order.
 */
export class GroupGate {
  readonly #waiting = new Map<string, Entry[]>();

  /** True: hand it over now. False: it waits for the one before. */
  admit(entry: Entry): boolean {
    if (entry.group === undefined) return true;
    const waiting = this.#waiting.get(entry.group);
    if (waiting === undefined) {
      this.#waiting.set(entry.group, []);
      return true;
    }
    waiting.push(entry);
    return false;
  }

  /** The one that was out is done: the next of its group, now out itself. */
  next(entry: Entry): Entry | undefined {
    if (entry.group === undefined) return undefined;
    const next = this.#waiting.get(entry.group)?.shift();
    if (next === undefined) this.#waiting.delete(entry.group);
    return next;
  }

  /** The one that was out failed: those that waited behind it, in order. */
  fail(entry: Entry): readonly Entry[] {
    if (entry.group === undefined) return [];
    const waiting = this.#waiting.get(entry.group) ?? [];
    this.#waiting.delete(entry.group);
    return waiting;
  }
}
