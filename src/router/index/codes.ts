/** Texts up to this length keep the buffer small for good. */
const USUAL = 4_096;

const codes = new Uint16Array(USUAL);

/**
 * The UTF-16 units of a text, in a buffer that the next call uses again: several passes over numbers are faster than over a
 * text, which may be a part of another one.
 */
export function codesOf(text: string): Uint16Array {
  const { length } = text;
  if (length > USUAL) return Uint16Array.from({ length }, (_, at) => text.charCodeAt(at));
  for (let at = 0; at < length; at += 1) codes[at] = text.charCodeAt(at);
  return codes;
}
