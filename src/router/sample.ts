import type { MeshEvent } from '../core/event.ts';

const STEPS = 2 ** 32;
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * Where an event stands among all, from 0 to 1 (exclusive): FNV-1a (32 bit) over the UTF-8 bytes of `source`, one zero byte and
 * those of `id`, spread by the finaliser of MurmurHash3, divided by 2³². It depends on nothing else, so that replicas, restarts
 * and routes draw the same sample, and a smaller sample is a part of a larger one.
 */
export function samplePoint(event: MeshEvent): number {
  const start = Math.imul(hash(OFFSET, event.source), PRIME); // the zero byte
  return finished(hash(start, event.id)) / STEPS;
}

function hash(start: number, text: string): number {
  let state = start;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (c > 0x7f) return hashBytes(state, Buffer.from(text.slice(at)));
    state = Math.imul(state ^ c, PRIME);
  }
  return state;
}

function hashBytes(start: number, bytes: Buffer): number {
  let state = start;
  for (const byte of bytes) state = Math.imul(state ^ byte, PRIME);
  return state;
}

function finished(hashed: number): number {
  let state = hashed;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
