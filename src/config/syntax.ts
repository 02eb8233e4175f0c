import type { Document, ErrorCode } from 'yaml';
import type { Finding } from './finding.ts';

interface Said {
  readonly message: string;
  readonly hint?: string;
}

const SAID: Readonly<Partial<Record<ErrorCode, Said>>> = {
  TAB_AS_INDENT: { message: 'this line is indented with a tab', hint: 'YAML wants spaces' },
  BAD_INDENT: {
    message: 'this line is indented unlike the lines it belongs with',
    hint: 'line up entries of the same level',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a second "key: value" stands on the same line',
    hint: 'put text that contains ": " in quotes',
  },
  MISSING_CHAR: { message: 'something is left open here, or a ":" is missing after a key' },
  MULTIPLE_DOCS: {
    message: 'the file holds several YAML documents',
    hint: 'a configuration is one document without "---"',
  },
  NON_STRING_KEY: { message: 'keys must be text' },
  MULTILINE_IMPLICIT_KEY: { message: 'a ":" is missing after this key' },
  TAG_RESOLVE_FAILED: {
    message: 'YAML tags ("!name") are not used here',
    hint: 'put text that begins with "!" in quotes',
  },
  RESOURCE_EXHAUSTION: { message: 'nested too deeply' },
};

/**
 * What the YAML parser complains about, in our words. After a syntax error the rest of its complaints are echoes of the
 * first, so only duplicate keys are told in full; `fatal` says that the document's values mean nothing.
 */
export function syntaxFindings(
  document: Pick<Document, 'errors' | 'warnings'>,
  text: string,
  position: (offset: number) => Pick<Finding, 'file' | 'line' | 'column'>,
): { findings: Finding[]; fatal: boolean } {
  const findings: Finding[] = [];
  const duplicates = document.errors.filter((error) => error.code === 'DUPLICATE_KEY');
  for (const { pos } of duplicates) {
    const key = /^[^\s:]+/.exec(text.slice(pos[0]))?.[0] ?? '';
    findings.push({
      severity: 'error',
      code: 'E_CONFIG_DUPLICATE_KEY',
      message: `the key ${key} stands here a second time`,
      ...position(pos[0]),
    });
  }
  const [first] = [...document.errors.filter((error) => error.code !== 'DUPLICATE_KEY'), ...document.warnings];
  if (first === undefined) return { findings, fatal: false };
  const offset = first.code === 'BAD_INDENT' ? afterBlanks(text, first.pos[0]) : first.pos[0];
  const said = reference(text, first.pos[0]) ?? SAID[first.code] ?? { message: `this is not YAML (${first.message})` };
  findings.push({ severity: 'error', code: 'E_CONFIG_YAML', ...said, ...position(offset) });
  return { findings, fatal: true };
}

function afterBlanks(text: string, offset: number): number {
  return offset + (/^ */.exec(text.slice(offset))?.[0].length ?? 0);
}

/** An unquoted `${…}` inside `{ … }` or `[ … ]` reads as a map to YAML: the commonest mistake with references. */
function reference(text: string, offset: number): Said | undefined {
  if (text[offset] !== '{' || text[offset - 1] !== '$') return undefined;
  return {
    message: 'a reference inside { } or [ ] must be quoted',
    hint: `write '\${…}' with quotes around the value`,
  };
}
