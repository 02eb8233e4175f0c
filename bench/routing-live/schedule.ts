import { MeshEvent, newExtensions } from '../../src/core/event.ts';
import { stream } from '../../src/simulation/world/random.ts';

const KEYS = 400;
const FILLER = 'x'.repeat(400);

/**
 * When events are due, in ms from the start: a Poisson process, the same for every policy of a repetition. Every other
 * event has a key.
 */
export function schedule(perSecond: number, ms: number, seed: number): Float64Array {
  const random = stream(seed, 5);
  const due: number[] = [];
  for (let at = 0; ; ) {
    at -= (Math.log(1 - random()) * 1_000) / perSecond;
    if (at >= ms) return Float64Array.from(due);
    due.push(at);
  }
}

export function isKeyed(n: number): boolean {
  return n % 2 === 1;
}

/** Event `n` of a block, which can be told from the bytes of any encoding of it. */
export function liveEvent(block: number, n: number): MeshEvent {
  const extensions = newExtensions();
  if (isKeyed(n)) extensions['partitionkey'] = `k-${Math.floor(n / 2) % KEYS}`;
  return new MeshEvent({
    id: `${block}/${n}`,
    source: '/bench/routing-live',
    type: 'com.acme.reading',
    datacontenttype: 'application/json',
    extensions,
    data: Buffer.from(`{"block":${block},"n":${n},"filler":"${FILLER}"}`),
  });
}

const MARK = /"block":(\d+),"n":(\d+)/;

/** Which event these bytes hold; NaN where none. */
export function eventIn(payload: Buffer | string): { readonly block: number; readonly n: number } {
  const found = MARK.exec(typeof payload === 'string' ? payload : payload.toString('latin1'));
  return { block: Number(found?.[1] ?? Number.NaN), n: Number(found?.[2] ?? Number.NaN) };
}
