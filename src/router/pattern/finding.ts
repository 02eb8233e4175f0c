import { FairleadError } from '../../core/errors.ts';

/** A mistake (error) or a risk (warning) in a pattern. */
export interface PatternFinding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  /** From the top of the pattern to the key or value it is about. */
  readonly path: readonly (string | number)[];
  readonly hint: string | undefined;
  /** A word that is not known there, and those that are. */
  readonly misspelt?: { readonly word: string; readonly known: readonly string[] } | undefined;
}

/** A pattern that is refused: coded as in docs/reference/errors.md, with the place in the pattern. */
export class PatternError extends FairleadError {
  readonly path: readonly (string | number)[];
  readonly hint: string | undefined;

  constructor({ code, message, path, hint }: PatternFinding) {
    super({ code, message: `${placeOf(path)}: ${message}${hint === undefined ? '' : ` — ${hint}`}` });
    this.name = 'PatternError';
    this.path = path;
    this.hint = hint;
  }
}

/** `data.items[0]`, or `the pattern` for the top. */
export function placeOf(path: readonly (string | number)[]): string {
  if (path.length === 0) return 'the pattern';
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
