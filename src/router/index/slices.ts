/** Entries looked at between two steps, where each takes about a microsecond. */
export const STEP = 128;

/** Work in steps: it stands still at each `yield` and can go on later. */
export type Steps<T> = Generator<void, T, void>;

/** Does all of the work at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** How work is cut into slices. */
export interface SliceOptions {
  /** Longest time at a stretch; a single step may overrun it. */
  readonly sliceMs?: number | undefined;
  /** Lets other work run; the next slice begins when it resolves. */
  readonly yieldTo?: (() => Promise<void>) | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now?: (() => number) | undefined;
  /** Ends the work: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Does the work in slices, between which the event loop turns. */
export async function inSlices<T>(steps: Steps<T>, options: SliceOptions = {}): Promise<T> {
  const { sliceMs = 3, yieldTo = turn, now = () => performance.now(), signal } = options;
  for (;;) {
    signal?.throwIfAborted();
    const until = now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (now() < until);
    await yieldTo();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Sorts in steps, ascending and stable: the numbers from 0 in the order of their keys. */
export function* sortedByKey(keys: Float64Array): Steps<Uint32Array> {
  let from = new Uint32Array(keys.length);
  for (let at = 0; at < keys.length; at += 1) from[at] = at;
  let to = new Uint32Array(keys.length);
  for (let width = 1; width < keys.length; width *= 2) {
    for (let start = 0; start < keys.length; start += 2 * width) {
      merge(keys, from, to, start, Math.min(start + width, keys.length), Math.min(start + 2 * width, keys.length));
      if (width >= SORTED || start % SORTED === 0) yield;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Elements merged between two steps. */
const SORTED = 4_096;

function merge(keys: Float64Array, from: Uint32Array, to: Uint32Array, start: number, middle: number, end: number) {
  let left = start;
  let right = middle;
  for (let at = start; at < end; at += 1) {
    const l = from[left] as number;
    const takeLeft = left < middle && (right >= end || (keys[l] as number) <= (keys[from[right] as number] as number));
    if (takeLeft) {
      to[at] = l;
      left += 1;
    } else {
      to[at] = from[right] as number;
      right += 1;
    }
  }
}
