import { type Find, findPoints, findText } from './find.ts';

/** Stands for `_` among the code points of a segment. */
export const ANY = -1;

/** What stands between two `%` of a pattern. */
export interface LikeSegment {
  /** Code points, or {@link ANY}. */
  readonly points: readonly number[];
  /** The segment as text, where it has no `_`. */
  readonly literal: string | undefined;
}

/** A pattern of LIKE, cut at its `%`. */
export interface LikePattern {
  readonly text: string;
  /** One more than there are `%`. */
  readonly segments: readonly LikeSegment[];
}

/** Longest segment with `_` that is searched for: its length counts for every character of the text. */
const MAX_WILD = 256;

/** Reads a pattern: `%` any characters, `_` one, `\%` and `\_` themselves; another backslash is a character (§3.4.3). */
export function parseLike(text: string): LikePattern {
  const segments: LikeSegment[] = [];
  let points: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const point = text.codePointAt(at) as number;
    const next = text[at + 1];
    if (point === 0x25) {
      segments.push(segment(points));
      points = [];
    } else if (point === 0x5f) points.push(ANY);
    else if (point === 0x5c && (next === '%' || next === '_')) {
      points.push(next.charCodeAt(0));
      at += 1;
    } else {
      points.push(point);
      if (point > 0xffff) at += 1;
    }
  }
  segments.push(segment(points));
  return { text, segments };
}

function segment(points: readonly number[]): LikeSegment {
  return { points, literal: points.includes(ANY) ? undefined : points.map((p) => String.fromCodePoint(p)).join('') };
}

/** Why a pattern would cost too much, or undefined. */
export function likeProblem({ segments }: LikePattern): string | undefined {
  const tooLong = segments
    .slice(1, -1)
    .some(({ points, literal }) => literal === undefined && points.length > MAX_WILD);
  return tooLong ? `more than ${MAX_WILD} characters between two "%" of the pattern, with "_" among them` : undefined;
}

/** A test for a pattern, in time linear in the text: each segment between two `%` is looked for once, from the left. */
export function compileLike({ segments }: LikePattern): (text: string) => boolean {
  const [first, ...rest] = segments as [LikeSegment, ...LikeSegment[]];
  const last = rest.pop();
  const starts = headTest(first);
  if (last === undefined) {
    const { literal } = first;
    return literal === undefined ? (text) => starts(text) === text.length : (text) => text === literal;
  }
  const finds = rest.filter(({ points }) => points.length > 0).map(finder);
  const ends = tailTest(last);
  if (finds.length === 0 && first.literal !== undefined && last.literal !== undefined)
    return affixes(first.literal, last.literal);
  return (text) => {
    let at = starts(text);
    if (at < 0) return false;
    const end = ends(text);
    if (end < at) return false;
    for (const find of finds) {
      at = find(text, at, end);
      if (at < 0) return false;
    }
    return true;
  };
}

function affixes(prefix: string, suffix: string): (text: string) => boolean {
  if (suffix === '') return (text) => text.startsWith(prefix);
  if (prefix === '') return (text) => text.endsWith(suffix);
  const least = prefix.length + suffix.length;
  return (text) => text.length >= least && text.startsWith(prefix) && text.endsWith(suffix);
}

/** Gives the offset after the segment at the beginning of a text, or -1. */
function headTest({ points, literal }: LikeSegment): (text: string) => number {
  if (literal !== undefined) return (text) => (text.startsWith(literal) ? literal.length : -1);
  return (text) => {
    let at = 0;
    for (const wanted of points) {
      const point = text.codePointAt(at);
      if (point === undefined || (wanted !== ANY && wanted !== point)) return -1;
      at += point > 0xffff ? 2 : 1;
    }
    return at;
  };
}

/** Gives the offset of the segment at the end of a text, or -1. */
function tailTest({ points, literal }: LikeSegment): (text: string) => number {
  if (literal !== undefined) return (text) => (text.endsWith(literal) ? text.length - literal.length : -1);
  const backwards = points.toReversed();
  return (text) => {
    let at = text.length;
    for (const wanted of backwards) {
      if (at === 0) return -1;
      at -= 1;
      let point = text.charCodeAt(at);
      if (point >= 0xdc00 && point <= 0xdfff && at > 0 && (text.codePointAt(at - 1) as number) > 0xffff) {
        at -= 1;
        point = text.codePointAt(at) as number;
      }
      if (wanted !== ANY && wanted !== point) return -1;
    }
    return at;
  };
}

function finder({ points, literal }: LikeSegment): Find {
  return literal === undefined ? findPoints(points, ANY) : findText(literal);
}
