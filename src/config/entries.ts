import type { AdapterSpec } from '../adapters/spec.ts';
import type { SourceFields, TargetFields } from './common.ts';
import type { ConfigDocument } from './document.ts';
import type { Located } from './finding.ts';
import { valueAt } from './inspect.ts';
import { parsePart } from './parse.ts';
import type { ConfigSchemas } from './schema.ts';
import { didYouMean } from './suggest.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A parsed broker, source or target. */
export interface Entry<F = Fields> {
  readonly name: string;
  readonly adapter: AdapterSpec;
  readonly fields: F;
}

export interface Entries {
  readonly brokers: ReadonlyMap<string, Entry>;
  readonly sources: ReadonlyMap<string, Entry<Fields & SourceFields>>;
  readonly targets: ReadonlyMap<string, Entry<Fields & TargetFields>>;
  readonly errors: readonly Located[];
}

/** Parses every broker, source and target by the adapter it belongs to. */
export function parseEntries(
  document: ConfigDocument,
  schemas: ConfigSchemas,
  adapters: readonly AdapterSpec[],
): Entries {
  const errors: Located[] = [];
  const byType = new Map(adapters.map((adapter) => [adapter.type, adapter]));
  const kinds = new Map<string, string>();
  const brokers = new Map<string, Entry>();
  const sources = new Map<string, Entry<Fields & SourceFields>>();
  const targets = new Map<string, Entry<Fields & TargetFields>>();

  for (const name of names(document, 'brokers')) {
    const path = ['brokers', name];
    const type = valueAt(document.value, [...path, 'type']);
    const adapter = typeof type === 'string' ? byType.get(type) : undefined;
    if (adapter === undefined) {
      errors.push(...unknownType(document, path, type, byType));
      continue;
    }
    kinds.set(name, adapter.type);
    const parsed = parsePart(
      schemas.brokers.get(adapter.type) as NonNullable<ReturnType<typeof schemas.brokers.get>>,
      document,
      path,
    );
    errors.push(...parsed.errors);
    if (parsed.data !== undefined) brokers.set(name, { name, adapter, fields: parsed.data as Fields });
  }

  for (const kind of ['source', 'target'] as const) {
    const section = `${kind}s` as const;
    for (const name of names(document, section)) {
      const path = [section, name];
      const broker = valueAt(document.value, [...path, 'broker']);
      const type = typeof broker === 'string' ? kinds.get(broker) : undefined;
      if (type === undefined) {
        errors.push(...brokerReference(document, path, broker));
        continue;
      }
      const schema = schemas[section].get(type);
      if (schema === undefined) {
        const message = `${path.join('.')}: a ${type} broker cannot be a ${kind}`;
        errors.push({ severity: 'error', code: 'E_CONFIG_REFERENCE', path: [...path, 'broker'], at: 'value', message });
        continue;
      }
      const parsed = parsePart(schema, document, path);
      errors.push(...parsed.errors);
      if (parsed.data === undefined) continue;
      const entry = { name, adapter: byType.get(type) as AdapterSpec, fields: parsed.data };
      if (kind === 'source') sources.set(name, entry as Entry<Fields & SourceFields>);
      else targets.set(name, entry as Entry<Fields & TargetFields>);
    }
  }
  return { brokers, sources, targets, errors };
}

/** The names that stand in a section of the file, valid or not, so that one mistake is not told twice. */
export function names(document: ConfigDocument, section: string): readonly string[] {
  const entries = valueAt(document.value, [section]);
  return typeof entries === 'object' && entries !== null && !Array.isArray(entries) ? Object.keys(entries) : [];
}

function unknownType(
  document: ConfigDocument,
  path: readonly string[],
  type: unknown,
  byType: ReadonlyMap<string, AdapterSpec>,
): readonly Located[] {
  const at = [...path, 'type'];
  if (document.isBroken(at)) return [];
  const text = path.join('.');
  const known = `known: ${[...byType.keys()].sort().join(', ')}`;
  if (typeof valueAt(document.value, path) !== 'object') {
    return [
      {
        severity: 'error',
        code: 'E_CONFIG_TYPE',
        path,
        at: 'value',
        message: `${text}: expected a map of fields with a type`,
        hint: known,
      },
    ];
  }
  if (type === undefined) {
    return [
      {
        severity: 'error',
        code: 'E_CONFIG_MISSING',
        path: at,
        at: 'key',
        message: `${text} lacks "type"`,
        hint: known,
      },
    ];
  }
  const hint = didYouMean(String(type), byType.keys()) ?? known;
  return [
    {
      severity: 'error',
      code: 'E_CONFIG_VALUE',
      path: at,
      at: 'value',
      message: `${text}: there is no broker type "${String(type)}"`,
      hint,
    },
  ];
}

function brokerReference(document: ConfigDocument, path: readonly string[], broker: unknown): readonly Located[] {
  const at = [...path, 'broker'];
  const text = path.join('.');
  const known = names(document, 'brokers');
  if (document.isBroken(at) || (typeof broker === 'string' && known.includes(broker))) return [];
  if (typeof valueAt(document.value, path) !== 'object') {
    return [
      {
        severity: 'error',
        code: 'E_CONFIG_TYPE',
        path,
        at: 'value',
        message: `${text}: expected a map of fields with a broker`,
      },
    ];
  }
  if (broker === undefined) {
    return [
      {
        severity: 'error',
        code: 'E_CONFIG_MISSING',
        path: at,
        at: 'key',
        message: `${text} lacks "broker" (the name of a broker)`,
      },
    ];
  }
  const hint = didYouMean(String(broker), known) ?? (known.length === 0 ? undefined : `known: ${known.join(', ')}`);
  return [
    {
      severity: 'error',
      code: 'E_CONFIG_REFERENCE',
      path: at,
      at: 'value',
      message: `${text}: there is no broker "${String(broker)}"`,
      hint,
    },
  ];
}
