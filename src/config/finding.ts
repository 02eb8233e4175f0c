/** One mistake or risk in a configuration file. Lines and columns count from 1. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** Stable code, explained in docs/reference/errors.md. */
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What to do instead, e.g. `did you mean "topic"?`. */
  readonly hint?: string;
}

/** A finding before its place in the text is known: `path` leads to the value it is about, or to its key. */
export interface Located {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly at: 'key' | 'value';
  readonly hint?: string | undefined;
}

/** `file:line:column error CODE: message — hint`. */
export function formatFinding(finding: Finding): string {
  const { file, line, column, severity, code, message, hint } = finding;
  return `${file}:${line}:${column} ${severity} ${code}: ${message}${hint === undefined ? '' : ` — ${hint}`}`;
}

/** Orders findings as they stand in the file. */
export function byPosition(a: Finding, b: Finding): number {
  return a.line - b.line || a.column - b.column || (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
}

/** `sources.readings.as.type` for a path; `the configuration` for the top. */
export function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the configuration';
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}
