/**
 * What SQS takes as text, in bodies and attribute values: the characters of XML 1.0, that is #x9 | #xA | #xD |
 * #x20–#xD7FF | #xE000–#xFFFD | #x10000–#x10FFFF (SendMessage, "InvalidMessageContents").
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const NONCHARACTERS = /[\ufffe\uffff]/g;

/** Whether SQS takes the text as it is. Lone surrogates do not occur: every text here was decoded from UTF-8. */
export function isSendable(text: string): boolean {
  return !FORBIDDEN.test(text);
}

/**
 * JSON text that SQS takes: U+FFFE and U+FFFF, which JSON may hold unescaped inside its strings, are escaped. Control
 * characters cannot stand in JSON text, so they need no escape; undefined where they do.
 */
export function sendableJson(json: string): string | undefined {
  if (isSendable(json)) return json;
  const escaped = json.replace(NONCHARACTERS, (char) => (char === '\ufffe' ? '\\ufffe' : '\\uffff'));
  return isSendable(escaped) ? escaped : undefined;
}

/**
 * The text of member `name` of a JSON object, exactly as it stands; the last one where there are several, as JSON.parse
 * has it. The text must be known to be a valid JSON object.
 */
export function memberText(json: string, name: string): string | undefined {
  let found: string | undefined;
  let at = skipSpace(json, json.indexOf('{') + 1);
  while (json[at] === '"') {
    const key = endOfString(json, at);
    const start = skipSpace(json, skipSpace(json, key) + 1);
    const end = endOfValue(json, start);
    if (JSON.parse(json.slice(at, key)) === name) found = json.slice(start, end);
    at = skipSpace(json, end);
    if (json[at] === ',') at = skipSpace(json, at + 1);
  }
  return found;
}

function skipSpace(json: string, at: number): number {
  let next = at;
  while (next < json.length && json.charCodeAt(next) <= 0x20) next += 1;
  return next;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfValue(json: string, start: number): number {
  let depth = 0;
  let at = start;
  for (;;) {
    const char = json[at];
    if (char === '"') {
      at = endOfString(json, at);
      if (depth === 0) return at;
      continue;
    }
    if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (char === ',' || char === undefined || char.charCodeAt(0) <= 0x20)) return at;
    at += 1;
  }
}
