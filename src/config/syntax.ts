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
 * The first complaint of the YAML parser, in our words; what follows it are echoes. Undefined where the text is YAML.
 */
export function syntaxFinding(
  document: Pick<Document, 'errors' | 'warnings'>,
  text: string,
  position: (offset: number) => Pick<Finding, 'file' | 'line' | 'column'>,
): Finding | undefined {
  const [first] = [...document.errors, ...document.warnings];
  if (first === undefined) return undefined;
  const offset = first.code === 'BAD_INDENT' ? afterBlanks(text, first.pos[0]) : first.pos[0];
  const said = reference(text, offset) ?? SAID[first.code] ?? { message: `this is not YAML (${first.message})` };
  return { severity: 'error', code: 'E_CONFIG_YAML', ...said, ...position(offset) };
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
