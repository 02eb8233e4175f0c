/** Text as CESQL sees it: a sequence of code points, where JavaScript counts UTF-16 units. */

/** How many code points a text has. */
export function lengthOf(text: string): number {
  let count = text.length;
  for (let at = 1; at < text.length; at += 1) if (isPair(text, at - 1)) count -= 1;
  return count;
}

/** The offset of the code point of that number from the start; the end of the text where there are not so many. */
export function offsetOf(text: string, count: number): number {
  let at = 0;
  for (let passed = 0; passed < count && at < text.length; passed += 1) at += isPair(text, at) ? 2 : 1;
  return at;
}

/** The same from the end: the offset where the last `count` code points begin, or 0. */
export function offsetFromEnd(text: string, count: number): number {
  let at = text.length;
  for (let passed = 0; passed < count && at > 0; passed += 1) at -= at > 1 && isPair(text, at - 2) ? 2 : 1;
  return at;
}

function isPair(text: string, at: number): boolean {
  if ((text.charCodeAt(at) & 0xfc00) !== 0xd800) return false;
  return (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
}

/** Without Unicode's White_Space at both ends: unlike `trim()`, U+0085 goes and U+FEFF stays. */
export function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isWhiteSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isWhiteSpace(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isWhiteSpace(c: number): boolean {
  if (c < 0x80) return c === 0x20 || (c >= 0x09 && c <= 0x0d);
  if (c >= 0x2000 && c <= 0x200a) return true;
  switch (c) {
    case 0x85:
    case 0xa0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
      return true;
    default:
      return false;
  }
}
