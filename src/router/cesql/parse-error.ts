import { FairleadError } from '../../core/errors.ts';

/** A place in an expression: `offset` counts UTF-16 units from 0, `line` and `column` count from 1. */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** The line and column of an offset; columns count code points, so that an editor shows the same. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n');
  return { offset, line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}

/** An expression that is not CESQL: E_CESQL_PARSE with where the parser gave up and, if known, what to write instead. */
export class CesqlParseError extends FairleadError {
  /** What is wrong, without the position. */
  readonly reason: string;
  readonly position: Position;
  readonly hint: string | undefined;

  constructor(text: string, offset: number, reason: string, hint?: string) {
    const position = positionAt(text, offset);
    const { line, column } = position;
    super({
      code: 'E_CESQL_PARSE',
      message: `${line}:${column}: ${reason}${hint === undefined ? '' : ` — ${hint}`}`,
    });
    this.name = 'CesqlParseError';
    this.reason = reason;
    this.position = position;
    this.hint = hint;
  }
}
