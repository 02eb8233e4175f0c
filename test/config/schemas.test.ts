import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adapters } from '../../src/adapters/registry.ts';
import { formatFinding } from '../../src/config/finding.ts';
import { loadConfigFile } from '../../src/config/load.ts';
import type { RouteConfig } from '../../src/config/types.ts';
import { memoryConfig } from './load.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-schemas-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, schema: unknown): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), typeof schema === 'string' ? schema : JSON.stringify(schema));
}

/** The route and the findings of a configuration in {@link folder}. */
function load(schema: string, section = ''): { route: RouteConfig | undefined; findings: string[] } {
  const change = { '    from: [in]': `    schema: ${schema}\n    from: [in]` };
  write('fairlead.yaml', `${memoryConfig(change)}${section}`);
  const { config, findings } = loadConfigFile(join(folder, 'fairlead.yaml'), { adapters, env: {} });
  const told = findings.map((finding) => formatFinding(finding).replace(`${folder}/`, ''));
  return { route: config?.routes[0], findings: told };
}

const href = (name: string): string => pathToFileURL(join(folder, name)).href;

describe('a schema file', () => {
  test('is read with what it refers to beside it, by path and by $id', () => {
    write('schemas/order.json', {
      $id: 'https://acme.com/v1/order.json',
      properties: { to: { $ref: 'parts/to.json' } },
    });
    write('schemas/parts/to.json', { $ref: '../zip.json' });
    write('schemas/zip.json', { type: 'string' });
    const { route, findings } = load('./schemas/order.json');
    expect(findings).toEqual([]);
    expect(route?.schema).toMatchObject({ kind: 'schema', location: href('schemas/order.json') });
    const found = route?.schema as Extract<RouteConfig['schema'], { kind: 'schema' }> | undefined;
    expect(found?.documents.map(({ location }) => location)).toEqual([
      href('schemas/order.json'),
      'https://acme.com/v1/parts/to.json',
      'https://acme.com/v1/zip.json',
    ]);
  });

  test.each([
    [undefined, 'E_SCHEMA_READ: routes[0].schema: there is no schema schemas/a.json'],
    ['{', 'E_SCHEMA_UNUSABLE: routes[0].schema: the schema schemas/a.json cannot be used: it is not JSON'],
    [
      { type: 'strnig' },
      'E_SCHEMA_UNUSABLE: routes[0].schema: the schema schemas/a.json cannot be used: schema is invalid',
    ],
    [{ pattern: '(?=a)' }, 'E_SCHEMA_UNUSABLE: routes[0].schema: the schema schemas/a.json cannot be used:'],
    [
      { $ref: 'b.json' },
      'E_SCHEMA_NOT_ALLOWED: routes[0].schema: the schema schemas/a.json refers to schemas/b.json, which',
    ],
    [
      { $ref: '../secret.json' },
      'E_SCHEMA_NOT_ALLOWED: routes[0].schema: the schema schemas/a.json refers to secret.json',
    ],
    [
      { $ref: 'https://acme.com/b.json' },
      'E_SCHEMA_NOT_ALLOWED: routes[0].schema: the schema schemas/a.json refers to https',
    ],
    [
      JSON.stringify({ description: 'x'.repeat(2e6) }),
      'E_SCHEMA_READ: routes[0].schema: the schema schemas/a.json has more',
    ],
  ])('that cannot be used is an error at the route: %j', (schema, message) => {
    write('secret.json', {});
    if (schema !== undefined) write('schemas/a.json', schema);
    const { route, findings } = load('schemas/a.json');
    expect(route).toBeUndefined();
    expect(findings).toEqual([expect.stringContaining(`fairlead.yaml:10:13 error ${message}`)]);
  });

  test('with a keyword that is not known is a warning there', () => {
    write('a.json', { propertis: {} });
    const { route, findings } = load('a.json');
    expect(route?.schema).toBeDefined();
    expect(findings).toEqual([
      'fairlead.yaml:10:13 warning W_SCHEMA_IGNORED: routes[0].schema: unknown keyword: "propertis"',
    ]);
  });

  test('may refer to an allowed address, which is fetched later', () => {
    write('a.json', { $ref: 'https://acme.com/b.json' });
    const { route, findings } = load('a.json', 'schemas: { allow: ["https://acme.com/"] }\n');
    expect(findings).toEqual([]);
    expect(route?.schema).toMatchObject({ location: href('a.json') });
  });
});

describe('a URL', () => {
  test('is taken where schemas.allow covers it', () => {
    const section = 'schemas: { allow: ["https://acme.com/v1/", "https://other.example/one.json"] }\n';
    for (const url of ['https://acme.com/v1/a/b.json', 'https://other.example/one.json', 'HTTPS://ACME.com/v1/x']) {
      expect(load(url, section)).toMatchObject({ findings: [], route: { schema: { kind: 'schema', documents: [] } } });
    }
    for (const url of ['https://acme.com/v2/a.json', 'https://acme.com/v1/../a.json', 'https://acme.com.evil/v1/a']) {
      expect(load(url, section).findings).toEqual([
        expect.stringMatching(/fairlead.yaml:10:13 error E_SCHEMA_NOT_ALLOWED: routes\[0\].schema: http/),
      ]);
    }
  });

  test.each(['schemas.acme.com', 'ftp://acme.com/', 'https://u:p@acme.com/', 'https://acme.com/?q'])(
    '%s cannot be allowed',
    (url) => {
      expect(load('false', `schemas: { allow: ["${url}"] }\n`).findings).toEqual([
        expect.stringMatching(/error E_CONFIG_VALUE: schemas.allow\[0\]: expected a URL/),
      ]);
    },
  );
});

describe('dataschema', () => {
  test('on a route, or for every route that says nothing else', () => {
    const { route } = load('{ dataschema: { unknown: reject } }');
    expect(route?.schema).toEqual({ kind: 'dataschema', unknown: 'reject' });
    expect(load('{ dataschema: { unknown: reject } }').findings).toEqual([
      expect.stringContaining('warning W_SCHEMA_NONE_ALLOWED: events of route all are held against their dataschema'),
    ]);
    const section = 'schemas: { dataschema: { unknown: accept } }\n';
    write('plain.yaml', `${memoryConfig()}${section}`);
    const { config } = loadConfigFile(join(folder, 'plain.yaml'), { adapters, env: {} });
    expect(config?.routes[0]?.schema).toEqual({ kind: 'dataschema', unknown: 'accept' });
    expect(load('false', section).route?.schema).toBeUndefined();
  });

  test('without saying what becomes of unknown ones is an error', () => {
    expect(load('{ dataschema: {} }').findings[0]).toContain('routes[0].schema');
    expect(load('false', 'schemas: { dataschema: {} }\n').findings).toEqual([
      expect.stringContaining('E_CONFIG_MISSING: schemas.dataschema lacks "unknown" ("accept" or "reject")'),
    ]);
  });
});
