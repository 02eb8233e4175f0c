/**
 * Rules for attribute names and values (CloudEvents 1.0.2 §3.1), as scans over char codes: they run for every
 * attribute of every event.
 */

/** `[a-z0-9]+` */
export function isName(name: string): boolean {
  for (let i = 0; i < name.length; i += 1) {
    const c = name.charCodeAt(i);
    if (!((c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39))) return false;
  }
  return name.length > 0;
}

/** A String: no U+0000–001F, no U+007F–009F, no lone surrogates, no noncharacters. */
export function isText(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) {
    const c = value.charCodeAt(i);
    if (c < 0x20) return false;
    if (c < 0x7f) continue;
    if (c < 0xa0) return false;
    if (c < 0xd800) continue;
    if (c > 0xdfff) {
      if (c >= 0xfffe || (c >= 0xfdd0 && c <= 0xfdef)) return false;
      continue;
    }
    const low = value.charCodeAt(i + 1); // NaN at the end
    if (c > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) return false;
    // U+1FFFE, U+1FFFF and so on in every plane
    if ((c & 0x3f) === 0x3f && (low & 0x3fe) === 0x3fe) return false;
    i += 1;
  }
  return true;
}

/** Only U+0020–007E. */
export function isAsciiText(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) {
    const c = value.charCodeAt(i);
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}

export function isInt32(value: number): boolean {
  return (value | 0) === value;
}

/** RFC 3339 §5.6 `date-time`, with any number of fractional digits. */
export function isRfc3339(value: string): boolean {
  const n = value.length;
  if (n < 20) return false;
  const year = pair(value, 0) * 100 + pair(value, 2);
  const month = pair(value, 5);
  const day = pair(value, 8);
  const second = pair(value, 17);
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return false;
  // a leap second may be announced for any minute of UTC, seen from any offset
  if (!(pair(value, 11) <= 23 && pair(value, 14) <= 59 && second <= 60)) return false;
  if (value[4] !== '-' || value[7] !== '-' || value[13] !== ':' || value[16] !== ':') return false;
  if (value[10] !== 'T' && value[10] !== 't') return false;
  let at = 19;
  if (value[at] === '.') {
    at += 1;
    const first = at;
    while (at < n && isDigit(value.charCodeAt(at))) at += 1;
    if (at === first) return false;
  }
  const zone = value[at];
  if (zone === 'Z' || zone === 'z') return at + 1 === n;
  if ((zone !== '+' && zone !== '-') || at + 6 !== n || value[at + 3] !== ':') return false;
  return pair(value, at + 1) <= 23 && pair(value, at + 4) <= 59;
}

/** Two digits as a number, else NaN (which fails every comparison). */
function pair(value: string, at: number): number {
  const tens = value.charCodeAt(at);
  const ones = value.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - 0x30) * 10 + ones - 0x30 : Number.NaN;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
