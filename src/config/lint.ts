import type { LintEntry } from '../adapters/spec.ts';
import { compileTemplate } from '../core/template.ts';
import type { ConfigDocument } from './document.ts';
import type { Entries } from './entries.ts';
import type { Located } from './finding.ts';
import { alternatives, childSchemas, type Schema, unwrap } from './inspect.ts';
import { redactUrl } from './redact.ts';
import type { ConfigSchemas } from './schema.ts';
import { didYouMean } from './suggest.ts';

/** What the adapters themselves say about their entries. Errors of theirs are errors of the file. */
export function lintAdapters(entries: Entries): readonly Located[] {
  const found: Located[] = [];
  const ask = (
    kind: LintEntry['kind'],
    name: string,
    config: LintEntry['config'],
    broker: LintEntry['broker'],
  ): void => {
    const adapter = entries[`${kind}s`].get(name)?.adapter;
    for (const { severity, code, path, message } of adapter?.lint?.({ kind, config, broker }) ?? []) {
      found.push({
        severity,
        code,
        path: [`${kind}s`, name, ...path],
        at: 'value',
        message: `${kind}s.${name}: ${message}`,
      });
    }
  };
  for (const { name, fields } of entries.brokers.values()) ask('broker', name, fields, fields);
  for (const kind of ['source', 'target'] as const) {
    for (const { name, fields } of entries[`${kind}s`].values()) {
      const broker = entries.brokers.get(fields.broker);
      if (broker !== undefined) ask(kind, name, fields, broker.fields);
    }
  }
  return found;
}

/** Secrets written out in the file and templates over names that do not exist. */
export function lintFields(document: ConfigDocument, entries: Entries, schemas: ConfigSchemas): readonly Located[] {
  const found: Located[] = [];
  for (const section of ['brokers', 'sources', 'targets'] as const) {
    for (const { name, adapter } of entries[section].values()) {
      const schema = schemas[section].get(adapter.type);
      if (schema === undefined) continue;
      const value = (document.value as Record<string, Record<string, unknown>>)[section]?.[name];
      const variables = section === 'sources' ? (adapter.source?.variables ?? []) : undefined;
      walk([schema], value, [section, name], (kind, text, path) => {
        if (kind === 'template') found.push(...templateNames(text, path, variables));
        else if (document.origins(path) === undefined) found.push(...literalSecret(kind, text, path));
      });
    }
  }
  return found;
}

type Visit = (kind: string | undefined, text: string, path: readonly PropertyKey[]) => void;

function walk(schemas: readonly Schema[], value: unknown, path: readonly PropertyKey[], visit: Visit): void {
  if (typeof value === 'string') {
    const kinds = schemas.map((schema) => unwrap(schema).kind);
    visit(kinds.includes('secret') ? 'secret' : kinds[0], value, path);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    const at = Array.isArray(value) ? Number(key) : key;
    const below = schemas
      .flatMap((schema) => childSchemas(schema, at, value))
      .flatMap((one) => alternatives(one, child));
    walk(below, child, [...path, at], visit);
  }
}

function literalSecret(kind: string | undefined, text: string, path: readonly PropertyKey[]): readonly Located[] {
  const inUrl = /:\/\/[^/?#\s:@]*:[^/?#\s@]+@/.test(text) && redactUrl(text) !== text;
  const harmlessUrl = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@]*(?:\/[^?#]*)?$/i.test(text);
  if ((kind !== 'secret' || harmlessUrl) && !inUrl) return [];
  const what = inUrl ? 'a password stands in this URL' : 'a secret stands in the file';
  return [
    {
      severity: 'warning',
      code: 'W_SECRET_LITERAL',
      path,
      at: 'value',
      message: `${path.map(String).join('.')}: ${what}`,
      hint: `write '\${VAR}' or '\${file:/path}' instead`,
    },
  ];
}

/** `variables` undefined: the names are attributes of the event, of which any may be an extension. */
function templateNames(
  text: string,
  path: readonly PropertyKey[],
  variables: readonly string[] | undefined,
): readonly Located[] {
  const wrong = compileTemplate(text).names.filter((name) =>
    variables === undefined
      ? name.includes('.') || name === 'data'
      : !variables.some((variable) => covers(variable, name)),
  );
  return wrong.map((name) => ({
    severity: 'warning',
    code: 'W_TEMPLATE_NAME',
    path,
    at: 'value',
    message:
      variables === undefined
        ? `${path.map(String).join('.')}: {${name}} is not an attribute of an event`
        : `${path.map(String).join('.')}: this source has no variable {${name}}`,
    hint:
      variables === undefined
        ? undefined
        : (didYouMean(
            name,
            variables.map((variable) => likened(variable, name)),
          ) ?? `known: ${variables.map((v) => `{${v}}`).join(', ')}`),
  }));
}

/** A family as the member that `name` would be, so that `topik.1` is near to `topic.1`. */
function likened(variable: string, name: string): string {
  const dot = name.indexOf('.');
  return variable.endsWith('.*') && dot >= 0 ? `${variable.slice(0, -2)}${name.slice(dot)}` : variable;
}

/** A variable of an adapter may be a family: `topic.*` stands for `topic.1`, `topic.2`, … */
function covers(variable: string, name: string): boolean {
  return variable === name || (variable.endsWith('.*') && name.startsWith(variable.slice(0, -1)));
}
