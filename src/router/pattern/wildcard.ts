import { compileLike } from '../cesql/like.ts';

/**
 * Reads a wildcard: `*` any characters, `\*` and `\\` themselves. Gives the texts between the `*`, or says why it is none.
 */
export function parseWildcard(text: string): readonly string[] | string {
  const segments: string[] = [];
  let segment = '';
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at] as string;
    if (c === '*') {
      if (text[at + 1] === '*') return 'two "*" stand next to each other';
      segments.push(segment);
      segment = '';
    } else if (c !== '\\') {
      segment += c;
    } else {
      const next = text[at + 1];
      if (next !== '*' && next !== '\\') return 'a backslash stands before something else than "*" or a backslash';
      segment += next;
      at += 1;
    }
  }
  segments.push(segment);
  return segments;
}

/** A test for a wildcard, in time linear in the text. */
export function compileWildcard(segments: readonly string[]): (text: string) => boolean {
  return compileLike({
    text: segments.join('*'),
    segments: segments.map((literal) => ({ literal, points: [...literal].map((c) => c.codePointAt(0) as number) })),
  });
}
