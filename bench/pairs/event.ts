import { MeshEvent, newExtensions } from '../../src/core/event.ts';
import type { Kind, Mode } from '../../test/setup/places/place.ts';

const KEYS = 1_000;
const DIGITS = 9;
const MARK = '"seq":"';
const MARK_BYTES = Buffer.from(MARK);
const DATA_BYTES = 1_024;
const FILLER = 'x'.repeat(DATA_BYTES - MARK.length - DIGITS - '{"","filler":""}'.length);

/** An event with 1 KiB of JSON data over 1,000 keys, whose number can be found in any encoding of it without parsing. */
export function benchEvent(n: number): MeshEvent {
  const extensions = newExtensions();
  extensions['partitionkey'] = `k-${n % KEYS}`;
  return new MeshEvent({
    id: `e-${n}`,
    source: '/bench/pairs',
    type: 'com.acme.reading',
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
    extensions,
    data: Buffer.from(`{${MARK}${String(n).padStart(DIGITS, '0')}","filler":"${FILLER}"}`),
  });
}

/** The number of the event that these bytes, or this text, hold. */
export function numberIn(payload: Buffer | string): number {
  const at = typeof payload === 'string' ? payload.indexOf(MARK) : payload.indexOf(MARK_BYTES);
  if (at < 0) return Number.NaN;
  const from = at + MARK.length;
  const to = from + DIGITS;
  return Number(typeof payload === 'string' ? payload.slice(from, to) : payload.toString('latin1', from, to));
}

/** How a producer on such a broker writes CloudEvents by default. */
export function modeOf(kind: Kind): Mode {
  return kind === 'mqtt' || kind === 'sqs' ? 'structured' : 'binary';
}

/** What arrived at the far end, by number. */
export class Seen {
  readonly #times: Uint8Array;
  #foreign = 0;
  #total = 0;

  constructor(count: number) {
    this.#times = new Uint8Array(count);
  }

  add(n: number): void {
    const times = this.#times[n];
    this.#total += 1;
    if (times === undefined) this.#foreign += 1;
    else this.#times[n] = times + 1;
  }

  get total(): number {
    return this.#total;
  }

  get foreign(): number {
    return this.#foreign;
  }

  get lost(): number {
    let lost = 0;
    for (const times of this.#times) if (times === 0) lost += 1;
    return lost;
  }

  get duplicates(): number {
    return this.#total - this.#foreign - (this.#times.length - this.lost);
  }
}
