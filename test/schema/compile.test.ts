import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CompiledSchema, SchemaCompiler } from '../../src/schema/compile.ts';

const ROOT = 'https://schemas.acme.com/order.json';
const D7 = 'http://json-schema.org/draft-07/schema#';

function compiled(schema: unknown, others: Readonly<Record<string, unknown>> = {}): CompiledSchema {
  const compiler = new SchemaCompiler({ location: ROOT, text: JSON.stringify(schema) });
  for (;;) {
    const step = compiler.compile();
    if ('schema' in step) return step.schema;
    if (!Object.hasOwn(others, step.missing)) throw new Error(`missing ${step.missing}`);
    compiler.add({ location: step.missing, text: JSON.stringify(others[step.missing]) });
  }
}

const reason = (schema: unknown, data: unknown): string | undefined => compiled(schema).check(data)?.message;

describe('reasons', () => {
  test.each([
    [{ type: 'object', required: ['sku'] }, {}, "/: required: must have required property 'sku'"],
    [{ properties: { n: { maximum: 3 } } }, { n: 77_123 }, '/n: maximum: must be <= 3'],
    [{ items: { type: 'string' } }, ['a', 77_123], '/1: type: must be string'],
    [{ additionalProperties: false }, { secret: 1 }, '/: additionalProperties: must NOT have additional properties'],
    [{ properties: { s: { enum: ['a'] } } }, { s: 'x' }, '/s: enum: must be equal to one of the allowed values'],
    [{ properties: { s: { format: 'date' } } }, { s: 'x' }, '/s: format: must match format "date"'],
    [
      { uniqueItems: true },
      [{ a: 1, b: 2 }, 3, { b: 2, a: 1 }],
      '/: uniqueItems: must not have two items that are equal',
    ],
    [false, 1, '/: false schema: boolean schema is false'],
  ])('%j refuses %j', (schema, data, message) => {
    expect(compiled(schema).check(data)).toEqual({ code: 'E_SCHEMA_INVALID', message });
  });

  test('name places and rules, no values, are short and have no control characters', () => {
    const schema = { additionalProperties: { properties: { pin: { const: 1 } } } };
    const key = `a\u0000\u001b[31m\u202e${'x'.repeat(5_000)}`;
    const text = reason(schema, { [key]: { pin: 'hunter2' } }) ?? '';
    expect(text).toMatch(/^\/a\\u0000\\u001b\[31m\\u202exx.*…: const: /);
    expect(text).not.toContain('hunter2');
    expect(text.length).toBeLessThan(600);
  });
});

describe('drafts', () => {
  test('2020-12 without $schema, 2019-09 and draft-07 by it', () => {
    expect(reason({ prefixItems: [{ type: 'string' }] }, [1])).toBe('/0: type: must be string');
    expect(reason({ $schema: D7, items: [{ type: 'string' }] }, [1])).toBe('/0: type: must be string');
    const dependent = { dependentRequired: { a: ['b'] } };
    expect(reason({ $schema: 'https://json-schema.org/draft/2019-09/schema', ...dependent }, { a: 1 })).toContain('b');
  });

  test.each([
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, /its "\$schema" is none of/],
    [{ type: 'strnig' }, /must be equal to one of the allowed values/],
    [{ $async: true }, /"\$async" is not JSON Schema/],
    [{ pattern: 'a(?=b)' }, /unsupported Perl syntax/],
    [{ pattern: '(?<q>a)\\k<q>' }, /back references/],
    ['"text"', /is an object, true or false/],
    [[], /is an object, true or false/],
  ])('%j cannot be used', (schema, message) => {
    expect(() => compiled(schema)).toThrow(message);
  });

  test('neither can what is not JSON, nor what is nested too deeply', () => {
    expect(() => new SchemaCompiler({ location: ROOT, text: '{' })).toThrow('it is not JSON');
    const deep = `${'{"not":'.repeat(200)}true${'}'.repeat(200)}`;
    expect(() => new SchemaCompiler({ location: ROOT, text: deep })).toThrow('nested more than 100 levels');
  });

  test('$async in a document that is referred to does not pass for a yes', () => {
    const others = { 'https://schemas.acme.com/a.json': { $async: true, type: 'string' } };
    expect(() => compiled({ properties: { a: { $ref: 'a.json' } } }, others)).toThrow(/async/);
  });

  test('unknown keywords and formats are told of', () => {
    const { warnings } = compiled({ propertis: {}, properties: { a: { format: 'colour' } } });
    expect(reason({ properties: { a: { format: 'hasOwnProperty' } } }, { a: 'x' })).toBeUndefined();
    expect(warnings).toEqual(['unknown format "colour"', 'unknown keyword: "propertis"']);
  });
});

describe('references', () => {
  test('are asked for by address, relative to $id or to the place of the document', () => {
    const address = { type: 'object', properties: { zip: { $ref: 'parts/zip.json#/$defs/zip' } } };
    const others = {
      'https://schemas.acme.com/address.json': address,
      'https://schemas.acme.com/parts/zip.json': { $defs: { zip: { pattern: '^[0-9]{5}$' } } },
    };
    const schema = compiled({ properties: { to: { $ref: 'address.json' } } }, others);
    expect(schema.check({ to: { zip: '1' } })?.message).toBe('/to/zip: pattern: must match pattern "^[0-9]{5}$"');
    expect(schema.check({ to: { zip: '12345' } })).toBeUndefined();
    const moved = { $id: 'https://other.example/x/o.json', properties: { to: { $ref: 'a.json' } } };
    expect(() => compiled(moved)).toThrow('missing https://other.example/x/a.json');
    expect(() => compiled({ ...moved, $id: 'v2/o.json' })).toThrow('missing https://schemas.acme.com/v2/a.json');
  });

  test('may be recursive and deeper than the stack', () => {
    const schema = compiled({ properties: { next: { $ref: '#' } }, additionalProperties: false });
    expect(schema.check({ next: { next: { bad: 1 } } })?.message).toContain('/next/next: additionalProperties');
    let list: object = {};
    for (let n = 0; n < 100_000; n += 1) list = { next: list };
    expect(schema.check(list)?.message).toContain('nested too deeply');
  });
});

describe('cost of hostile data', () => {
  // With V8's engine, or ajv's own uniqueItems, each of these would run for minutes or days.
  test.each([
    ['pattern', { pattern: '^(a+)+$' }, `${'a'.repeat(100_000)}!`],
    ['patternProperties', { patternProperties: { '^(x+x+)+y$': false } }, { ['x'.repeat(50_000)]: 1 }],
    ['uniqueItems', { uniqueItems: true }, Array.from({ length: 200_000 }, (_, n) => ({ a: [n], b: 'x' }))],
  ])('%s', (_, schema, data) => {
    const found = compiled(schema).check(data);
    expect(found?.message ?? 'valid').toMatch(/^\/: pattern|^valid/);
  });

  test('uniqueItems agrees with comparing every pair', () => {
    const schema = compiled({ uniqueItems: true });
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        fc.constantFrom(0, -0, 1, '1', '"1', true, false, null, '', '[]', '{}', '{"a":1}'),
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('a', 'b'), tie('value'), { maxKeys: 2 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), (items) => {
        const parsed = JSON.parse(JSON.stringify(items)) as unknown[];
        const twice = parsed.some((a, i) => parsed.slice(0, i).some((b) => canonical(a) === canonical(b)));
        expect(schema.check(parsed) === undefined).toBe(!twice);
      }),
      { numRuns: 2_000 },
    );
  });
});

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
