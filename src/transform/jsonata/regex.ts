import { RE2JS, RE2JSException } from 're2js';

/** Most bytes of expressions kept compiled; an expression has few literals, so this is never reached by honest ones. */
const MAX_COMPILED = 256;

const compiled = new Map<string, RE2JS>();

/** Compiles a regular expression literal of JSONata for an engine whose time is linear. Undefined where it has no such form. */
export function compileRegex(source: string, flags: string): RE2JS | undefined {
  const id = `${flags}/${source}`;
  const known = compiled.get(id);
  if (known !== undefined) return known;
  try {
    const regex = RE2JS.compile(RE2JS.translateRegExp(source), bits(flags));
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(id, regex);
    return regex;
  } catch (error) {
    if (error instanceof RE2JSException) return undefined; // look-around or a back-reference: not linear
    throw error;
  }
}

function bits(flags: string): number {
  return (flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0) | (flags.includes('m') ? RE2JS.MULTILINE : 0);
}

/**
 * Stands in for `RegExp` inside JSONata (its option `RegexEngine`), as far as JSONata uses it: `new`, `exec` and
 * `lastIndex` of a global expression. No text makes it take more than linear time.
 */
export class LinearRegExp {
  lastIndex = 0;
  readonly source: string;
  readonly #regex: RE2JS;

  constructor(literal: RegExp) {
    const regex = compileRegex(literal.source, literal.flags);
    if (regex === undefined) throw { code: 'F_REGEX' };
    this.source = literal.source;
    this.#regex = regex;
  }

  exec(text: string): (RegExpExecArray & { index: number }) | null {
    if (this.lastIndex > text.length) {
      this.lastIndex = 0;
      return null;
    }
    const matcher = this.#regex.matcher(text);
    if (!matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, n) => matcher.group(n) ?? undefined);
    this.lastIndex = matcher.end();
    return Object.assign(groups, { index: matcher.start(), input: text }) as unknown as RegExpExecArray;
  }
}
