/**
 * A number below 2⁵³ that stands for an event: 21 and 32 bits of two hashes over the UTF-16 code units of `source`, one zero and those
 * of `id`. FNV-1a (32 bit) gives the low part, the same with another start and factor the high part; both are spread by the
 * finaliser of MurmurHash3. The same on every gateway, so that attempts and duplicates of an event can be told.
 */
export function eventHash(source: string, id: string): number {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < source.length; i += 1) {
    const unit = source.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
  }
  low = Math.imul(low, 0x01000193);
  high = Math.imul(high, 0x5bd1e995);
  for (let i = 0; i < id.length; i += 1) {
    const unit = id.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
  }
  return (spread(high) >>> 11) * 2 ** 32 + spread(low);
}

function spread(hash: number): number {
  let state = hash;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
