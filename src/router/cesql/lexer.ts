import { CesqlParseError } from './parse-error.ts';

export type TokenKind =
  | 'end'
  | 'integer'
  | 'text'
  | 'name'
  | 'TRUE'
  | 'FALSE'
  | 'AND'
  | 'OR'
  | 'XOR'
  | 'NOT'
  | 'LIKE'
  | 'IN'
  | 'EXISTS'
  | '('
  | ')'
  | ','
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '%';

const KEYWORDS: ReadonlyMap<string, TokenKind> = new Map(
  (['TRUE', 'FALSE', 'AND', 'OR', 'XOR', 'NOT', 'LIKE', 'IN', 'EXISTS'] as const).map((word) => [word, word]),
);
const LONGEST_KEYWORD = 6;

/** What people write by habit from other languages, and its like here. */
const FOREIGN: Readonly<Record<string, string>> = {
  '!': 'write NOT (…), or != for "not equal"',
  '&': 'write AND',
  '|': 'write OR',
  '.': 'attribute names have letters and digits only, and the data cannot be read by CESQL',
  _: 'attribute names have letters and digits only',
  '"': 'text stands between two "',
  '`': 'attributes are written without quotes, text between \' or "',
  '\u2018': 'text stands between \' or "',
  '\u2019': 'text stands between \' or "',
  '\u201c': 'text stands between \' or "',
  '\u201d': 'text stands between \' or "',
  ';': 'there is one expression, without a semicolon',
  $: 'attributes are written by their name alone',
  '\u00a0': 'this is a no-break space: write an ordinary one',
};

/**
 * Splits an expression into tokens, one at a time: the fields tell of the current one. A sign is a token of its own, so
 * that `4-1` is a subtraction; the parser joins it to a literal.
 */
export class Lexer {
  readonly text: string;
  kind: TokenKind = 'end';
  /** Offsets of the token's first character and of the one after its last. */
  at = 0;
  end = 0;
  /** The name as written, the digits, or the text with its quotes taken off and `\'` resolved. */
  value = '';

  constructor(text: string) {
    this.text = text;
    this.next();
  }

  next(): void {
    const { text } = this;
    let at = this.end;
    while (isSpace(text.charCodeAt(at))) at += 1;
    this.at = at;
    const c = text.charCodeAt(at);
    if (isWord(c)) this.#word();
    else if (c === 0x27 || c === 0x22) this.#quoted(c);
    else if (at >= text.length) this.#symbol('end', 0);
    else this.#operator(text[at] as string);
  }

  fail(reason: string, hint?: string, at: number = this.at): never {
    throw new CesqlParseError(this.text, at, reason, hint);
  }

  #symbol(kind: TokenKind, length: number): void {
    this.kind = kind;
    this.end = this.at + length;
    this.value = '';
  }

  #word(): void {
    const { text, at } = this;
    let end = at;
    let digits = true;
    let c = text.charCodeAt(end);
    // Names of functions may have underscores; the parser tells where one does not belong.
    while (isWord(c) || c === 0x5f) {
      if (c > 0x39) digits = false;
      end += 1;
      c = text.charCodeAt(end);
    }
    this.end = end;
    this.value = text.slice(at, end);
    if (digits) this.kind = 'integer';
    else this.kind = (end - at <= LONGEST_KEYWORD ? KEYWORDS.get(this.value.toUpperCase()) : undefined) ?? 'name';
  }

  /** Only the own quote can be escaped (§2.2); any other backslash is a character, and `LIKE` has its own use for it. */
  #quoted(quote: number): void {
    const { text, at } = this;
    let value = '';
    let from = at + 1;
    let end = from;
    for (;;) {
      const c = text.charCodeAt(end);
      if (Number.isNaN(c)) this.fail('this text has no closing quote');
      if (c === quote) break;
      if (c === 0x5c) {
        if (text.charCodeAt(end + 1) === quote) {
          value += text.slice(from, end);
          from = end + 1;
        }
        end += 1;
      }
      end += 1;
    }
    const mark = text[at] as string;
    if (text.charCodeAt(end + 1) === quote)
      this.fail('a quote follows on a quote', `write \\${mark} for a ${mark} inside text`, end + 1);
    this.kind = 'text';
    this.value = value + text.slice(from, end);
    this.end = end + 1;
  }

  #operator(first: string): void {
    const second = this.text[this.at + 1];
    switch (first) {
      case '(':
      case ')':
      case ',':
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        this.#symbol(first, 1);
        return;
      case '=':
        if (second === '=') this.fail('"==" is not an operator', 'write = for "equal"');
        this.#symbol('=', 1);
        return;
      case '<':
        if (second === '>') this.#symbol('!=', 2);
        else if (second === '=') this.#symbol('<=', 2);
        else this.#symbol('<', 1);
        return;
      case '>':
        if (second === '=') this.#symbol('>=', 2);
        else this.#symbol('>', 1);
        return;
    }
    if (first === '!' && second === '=') {
      this.#symbol('!=', 2);
      return;
    }
    const point = this.text.codePointAt(this.at) as number;
    const shown =
      point > 0x20 && point < 0x7f ? `"${first}"` : `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
    this.fail(`${shown} has no meaning here`, FOREIGN[first]);
  }
}

/** Tab, line feed, carriage return and space. */
function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x09 || c === 0x0d;
}

/** ASCII letters and digits. */
function isWord(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || (c >= 0x30 && c <= 0x39);
}
