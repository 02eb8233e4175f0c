import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { AdapterSpec } from '../adapters/spec.ts';
import { codeOf } from '../core/errors.ts';
import { checkChoices } from './check-choices.ts';
import { lintBreakers } from './circuit-breaker.ts';
import { lintConditions } from './condition.ts';
import { ConfigDocument } from './document.ts';
import { type Entries, names, parseEntries } from './entries.ts';
import { byPosition, type Finding, type Located } from './finding.ts';
import type { Surroundings } from './interpolate.ts';
import { lintAdapters, lintFields } from './lint.ts';
import { lintChoices } from './lint-choices.ts';
import { lintClaims } from './lint-claims.ts';
import { lintPolicies, lintRoutes } from './lint-routes.ts';
import { normalise } from './normalise.ts';
import { parsePart } from './parse.ts';
import { presentable } from './redact.ts';
import { checkReferences } from './references.ts';
import { loadRouteSchemas } from './route-schemas.ts';
import { lintTests } from './route-test.ts';
import { type ConfigSchemas, configSchemas, type Outline } from './schema.ts';
import { lintTelemetry } from './telemetry.ts';
import type { GatewayConfig } from './types.ts';

export interface LoadOptions extends Surroundings {
  readonly adapters: readonly AdapterSpec[];
  /** The name that findings show. */
  readonly file: string;
  /** Milliseconds since 1970 that time windows are held against; default the clock of the system. */
  readonly nowMs?: number;
}

export interface LoadResult {
  /** There exactly when no finding is an error. */
  readonly config?: GatewayConfig;
  /** Errors and warnings, in the order of the file. */
  readonly findings: readonly Finding[];
  /** The file with references resolved and defaults in, secrets as `***`: what `fairlead echo` prints. */
  readonly echo?: Readonly<Record<string, unknown>>;
  /** Of a file: its absolute path and those of the files that it refers to, as far as they were asked for. */
  readonly files?: readonly string[];
}

/** Reads a configuration text: everything that is wrong with it, or what it says. Throws nothing. */
export function loadConfig(text: string, options: LoadOptions): LoadResult {
  const { adapters, file } = options;
  const document = new ConfigDocument(text, file, options);
  if (document.value === undefined) return { findings: [...document.findings].sort(byPosition) };

  const schemas = configSchemas(adapters);
  const outline = parsePart(schemas.outline, document, []);
  const entries = parseEntries(document, schemas, adapters);
  const located: Located[] = [
    ...outline.errors,
    ...entries.errors,
    ...checkReferences(document),
    ...lintAdapters(entries),
    ...lintClaims(entries),
  ];
  const parsed = outline.data as Outline | undefined;
  if (parsed !== undefined) located.push(...checkChoices(parsed, entries));
  const routeSchemas = parsed && loadRouteSchemas(parsed.routes, parsed.schemas, options);
  located.push(...(routeSchemas?.findings ?? []));
  const failed = document.findings.length > 0 || located.some(({ severity }) => severity === 'error');
  if (failed || parsed === undefined) return { findings: told(document, located) };

  const revision = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const config = normalise(parsed, entries, revision, routeSchemas?.routes ?? []);
  located.push(
    ...lintFields(document, entries, schemas),
    ...lintRoutes(config, document, entries.sources, options.nowMs ?? Date.now()),
    ...lintTests(config.tests, document, options.readFile),
    ...lintChoices(config, document),
    ...lintTelemetry(config),
    ...lintConditions(config),
    ...lintPolicies(config, names(document, 'policies')),
    ...lintBreakers(config, parsed.policies),
  );
  return { config, findings: told(document, located), echo: echo(parsed, entries, schemas, document) };
}

/** {@link loadConfig} on a file; `${file:…}` is relative to it. A file that cannot be read is a finding too. */
export function loadConfigFile(path: string, options: Pick<LoadOptions, 'adapters' | 'env'>): LoadResult {
  const files = new Set([resolve(path)]);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const message = `the configuration cannot be read (${codeOf(error) ?? 'unknown cause'})`;
    const finding = { severity: 'error', code: 'E_CONFIG_READ', message, file: path, line: 1, column: 1 } as const;
    return { findings: [finding], files: [...files] };
  }
  const folder = dirname(resolve(path));
  const readFile = (name: string): string => {
    const at = resolve(folder, name);
    files.add(at);
    return readFileSync(at, 'utf8');
  };
  const result = loadConfig(text, { ...options, file: path, readFile });
  return { ...result, files: [...files] };
}

function told(document: ConfigDocument, located: readonly Located[]): readonly Finding[] {
  return [...document.findings, ...located.map((one) => document.finding(one))].sort(byPosition);
}

function echo(
  outline: Outline,
  entries: Entries,
  schemas: ConfigSchemas,
  document: ConfigDocument,
): Record<string, unknown> {
  const fromFile = (path: readonly PropertyKey[]): boolean => document.origins(path)?.has('file') ?? false;
  const shown = presentable(schemas.outline, outline, fromFile) as Record<string, unknown>;
  for (const section of ['brokers', 'sources', 'targets'] as const) {
    shown[section] = Object.fromEntries(
      [...entries[section].values()].map(({ name, adapter, fields }) => {
        const schema = schemas[section].get(adapter.type) as z.ZodObject;
        const entry = presentable(schema, fields, fromFile, [section, name]) as Record<string, unknown>;
        const first = section === 'brokers' ? 'type' : 'broker';
        return [name, { [first]: entry[first], ...entry }];
      }),
    );
  }
  return shown;
}
