import { FairleadError } from './errors.ts';

/**
 * A compiled template: literal text with `{name}` or `{name:-default}`; `{{` and `}}` are braces. Names are resolved by the caller:
 * CloudEvents attributes for targets, position variables (`topic.1`, `key`, …) for a source's `as:` mapping, attributes
 * and fields of the data (`data.order.id`) for transforms.
 */
export interface Template {
  readonly text: string;
  /** The names it refers to, for lint. */
  readonly names: readonly string[];
  /** The name, where the template is one slot without a default and nothing else. */
  readonly only: string | undefined;
  /** The text, or undefined when a name without a default resolves to undefined. */
  render(resolve: (name: string) => string | undefined): string | undefined;
}

interface Slot {
  readonly name: string;
  readonly fallback: string | undefined;
}

/** Compiles a template. Throws {@link FairleadError} `E_TEMPLATE` with the column of the mistake. */
export function compileTemplate(text: string): Template {
  const parts = parse(text);
  const names = parts.flatMap((part) => (typeof part === 'string' ? [] : [part.name]));
  if (parts.every((part) => typeof part === 'string')) {
    const literal = parts.join('');
    return { text, names, only: undefined, render: () => literal };
  }
  const [first] = parts;
  const single = parts.length === 1 && typeof first === 'object' && first.fallback === undefined;
  return {
    text,
    names,
    only: single ? first.name : undefined,
    render(resolve) {
      let out = '';
      for (const part of parts) {
        if (typeof part === 'string') {
          out += part;
          continue;
        }
        const value = resolve(part.name) ?? part.fallback;
        if (value === undefined) return undefined;
        out += value;
      }
      return out;
    },
  };
}

function parse(text: string): (string | Slot)[] {
  const parts: (string | Slot)[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const char = text[at] as string;
    if ((char === '{' || char === '}') && text[at + 1] === char) {
      literal += char;
      at += 2;
    } else if (char === '{') {
      const end = text.indexOf('}', at);
      if (end < 0) throw mistake(text, at, 'a "{" that is never closed (write "{{" for a brace)');
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(slot(text, at, text.slice(at + 1, end)));
      at = end + 1;
    } else if (char === '}') {
      throw mistake(text, at, 'a "}" without "{" (write "}}" for a brace)');
    } else {
      literal += char;
      at += 1;
    }
  }
  if (literal !== '' || parts.length === 0) parts.push(literal);
  return parts;
}

function slot(text: string, at: number, body: string): Slot {
  const cut = body.indexOf(':-');
  const name = cut < 0 ? body : body.slice(0, cut);
  if (!/^[a-z][a-z0-9]*(?:\.[A-Za-z0-9_-]+)*$/.test(name)) {
    throw mistake(text, at, `"${name}" is not a name (lower-case letters and digits, e.g. {type} or {topic.1})`);
  }
  return { name, fallback: cut < 0 ? undefined : body.slice(cut + 2) };
}

function mistake(text: string, at: number, what: string): FairleadError {
  return new FairleadError({ code: 'E_TEMPLATE', message: `template "${text}" has ${what} at column ${at + 1}` });
}
