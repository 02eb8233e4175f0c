type Style = (text: string) => string;

/** Colours of a stream; the identity where it is no terminal or colours are not wanted (https://no-color.org). */
export interface Paint {
  readonly good: Style;
  readonly bad: Style;
  readonly dim: Style;
  readonly bold: Style;
}

export function paint(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  const noColor = env['NO_COLOR'] ?? '';
  const on = stream.isTTY === true && noColor === '' && env['TERM'] !== 'dumb';
  const style = (code: number): Style => (on ? (text) => `\u001b[${code}m${text}\u001b[0m` : (text) => text);
  return { good: style(32), bad: style(31), dim: style(2), bold: style(1) };
}

/** Whether a stream is a terminal on which lines may be drawn anew. */
export function isLive(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && (env['CI'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** Text from outside without what a terminal would obey: control characters and bidirectional overrides. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (char) => {
    const code = char.codePointAt(0) as number;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Columns padded to their widest cell; `right` are the indexes of those aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}
