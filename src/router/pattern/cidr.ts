import type { Network } from './ast.ts';

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. Bits behind the length do not count. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const words = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (words === undefined) return undefined;
  const width = words.length * 32;
  if (slash < 0) return { words, bits: width, text };
  const length = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > width) return undefined;
  return { words, bits: Number(length), text };
}

/** A test whether a text is an address of the block. IPv4 and IPv6 are apart, mapped addresses (`::ffff:…`) too. */
export function compileCidr({ words, bits }: Network): (text: string) => boolean {
  const masks = words.map((_, word) => maskOf(bits - word * 32));
  return (text) => {
    const address = parseAddress(text);
    if (address === undefined || address.length !== words.length) return false;
    return masks.every((mask, word) => (((address[word] as number) ^ (words[word] as number)) & mask) === 0);
  };
}

function maskOf(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
}

/**
 * The words of an address: dotted IPv4 without leading zeros, or IPv6 (RFC 4291 §2.2, without a zone). Undefined for
 * anything else; the longest address has 45 characters.
 */
function parseAddress(text: string): readonly number[] | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  if (!text.includes(':')) {
    const word = parseDotted(text);
    return word === undefined ? undefined : [word];
  }
  const gap = text.indexOf('::');
  if (gap >= 0 && text.includes('::', gap + 1)) return undefined;
  const head = parseGroups(gap < 0 ? text : text.slice(0, gap), gap < 0);
  const tail = gap < 0 ? [] : parseGroups(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return [0, 2, 4, 6].map((at) => ((groups[at] as number) << 16) | (groups[at + 1] as number));
}

/** Groups of 16 bits; `last`: dotted IPv4 may stand at the end. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = last && index === parts.length - 1 ? parseDotted(part) : undefined;
    if (word === undefined) return undefined;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}

function parseDotted(text: string): number | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  let word = 0;
  let octet = -1;
  let dots = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const c = at === text.length ? 0x2e : text.charCodeAt(at);
    if (c === 0x2e) {
      if (octet < 0) return undefined;
      word = (word << 8) | octet;
      octet = -1;
      dots += 1;
    } else {
      if (c < 0x30 || c > 0x39 || octet === 0) return undefined;
      octet = (octet < 0 ? 0 : octet * 10) + c - 0x30;
      if (octet > 255) return undefined;
    }
  }
  return dots === 4 ? word : undefined;
}
