import { MeshEvent, newExtensions } from '../../src/core/event.ts';
import { stream } from '../routing/world/random.ts';

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

export function liveEvent(block: string, n: number): MeshEvent {
  const extensions = newExtensions();
  if (isKeyed(n)) extensions['partitionkey'] = `k-${Math.floor(n / 2) % KEYS}`;
  return new MeshEvent({
    id: `${block}/${n}`,
    source: '/bench/routing-live',
    type: 'com.acme.reading',
    datacontenttype: 'application/json',
    extensions,
    data: Buffer.from(`{"n":${n},"filler":"${FILLER}"}`),
  });
}
