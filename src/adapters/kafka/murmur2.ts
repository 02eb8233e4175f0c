const M = 0x5bd1e995;

/** Murmur2 as the Java client computes it for keys (32 bits, seed 0x9747b28c); kafkajs' own runs on BigInt and costs twenty times as much. */
function murmur2(key: Uint8Array): number {
  const { length } = key;
  let h = 0x9747b28c ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k =
      (key[i] as number) |
      ((key[i + 1] as number) << 8) |
      ((key[i + 2] as number) << 16) |
      ((key[i + 3] as number) << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> 24), M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = length & 3;
  if (rest >= 3) h ^= (key[whole + 2] as number) << 16;
  if (rest >= 2) h ^= (key[whole + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (key[whole] as number), M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/** The partition of a key among `count`, as the Java client's default partitioner chooses it. */
export function partitionOf(key: Uint8Array, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
}
