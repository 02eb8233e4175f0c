import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { MeshEvent } from '../../../src/core/event.ts';
import { compileField, NO, patternPredicate } from '../../../src/router/pattern/compile.ts';
import { FieldReader } from '../../../src/router/pattern/field-reader.ts';
import { readFields } from '../../../src/router/pattern/field-scanner.ts';
import { FieldNode } from '../../../src/router/pattern/field-trie.ts';
import { parsePattern } from '../../../src/router/pattern/parse.ts';
import { anyBody, anyFields, NAMES } from './arbitrary.ts';

const SEED = 20_251_122;
const count = { bodies: 0, flat: 0, crossed: 0, refused: 0, pairs: 0, matched: 0 };

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** All values at a path, through arrays. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, path));
  const [name, ...rest] = path;
  const isMap = typeof value === 'object' && value !== null;
  if (name === undefined) return isMap || value === undefined ? [] : [value];
  return isMap && Object.hasOwn(value, name) ? valuesAt((value as Record<string, unknown>)[name], rest) : [];
}

const event = (text: string): MeshEvent =>
  new MeshEvent({ id: '1', source: '/t', type: 't', datacontenttype: 'application/json', data: Buffer.from(text) });

const anyPaths = fc.array(fc.array(fc.constantFrom(...NAMES), { maxLength: 3 }), { minLength: 1, maxLength: 6 });

describe('fields read from bytes', () => {
  afterAll(() => {
    process.stdout.write(
      `pattern fields: ${count.bodies} random bodies against JSON.parse (${count.flat} flat, ${count.crossed} crossed, ` +
        `${count.refused} not JSON) and ${count.pairs} patterns on fields against patterns on the whole body ` +
        `(${count.matched} matched): no difference\n`,
    );
  });

  test('are what JSON.parse gives, and what it refuses is refused', () => {
    const property = fc.property(anyBody, anyPaths, (text, paths) => {
      const reader = new FieldReader();
      const slots = paths.map((path) => reader.slot(path));
      const body = text === '' ? { value: undefined } : parsed(text);
      const state = reader.read(event(text));
      count.bodies += 1;
      if (body === undefined) count.refused += 1;
      else count[state === 'crossed' ? 'crossed' : 'flat'] += 1;
      expect(state === 'not-json').toBe(body === undefined);
      if (body === undefined) return;
      paths.forEach((path, index) => {
        const value = reader.values[slots[index] as number];
        const all = value === undefined ? [] : typeof value === 'object' && value !== null ? value : [value];
        const sorted = (list: readonly unknown[]): string[] => list.map((one) => `${typeof one} ${one}`).sort();
        expect(sorted(all)).toEqual(sorted(valuesAt(body.value, path)));
      });
    });
    fc.assert(property, { seed: SEED, numRuns: 10_000 });
  });

  test('the scanner itself accepts no more than JSON.parse', () => {
    const property = fc.property(anyBody, anyPaths, (text, paths) => {
      const root = new FieldNode('data');
      paths.forEach((path, slot) => {
        let node = root;
        for (const name of path) node = node.open(name);
        node.slot = slot;
      });
      const read = readFields(Buffer.from(text), root, { values: [], present: [] });
      if (read !== 'refused' && parsed(text) === undefined) throw new Error('accepted');
    });
    fc.assert(property, { seed: SEED + 1, numRuns: 5_000 });
  });

  test('give the same verdict as the whole body', () => {
    const property = fc.property(anyBody, fc.array(anyFields, { minLength: 1, maxLength: 4 }), (text, patterns) => {
      const reader = new FieldReader();
      const nodes = patterns.map((data) => parsePattern({ data }));
      const predicates = nodes.map((node) => patternPredicate(node, reader));
      const subject = event(text);
      const body = text === '' ? { value: undefined } : parsed(text);
      nodes.forEach((node, index) => {
        const field = node.fields[0];
        if (field === undefined) throw new Error('no data');
        const expected = body !== undefined && compileField(field)(body.value) !== NO;
        count.pairs += 1;
        if (expected) count.matched += 1;
        if (predicates[index]?.(subject) !== expected) throw new Error(`${expected} by the whole body`);
      });
    });
    fc.assert(property, { seed: SEED + 2, numRuns: 8_000 });
  });

  test('invalid UTF-8 is no JSON; bodies that nest deeply are still read', () => {
    const reader = new FieldReader();
    const slot = reader.slot(['a']);
    const bad = new MeshEvent({ id: '1', source: '/', type: 't', data: Buffer.from([0x22, 0xff, 0x22]) });
    expect(reader.read(bad)).toBe('not-json');
    const deep = `{"x":${'['.repeat(2_000)}${']'.repeat(2_000)},"a":7}`;
    expect(reader.read(event(deep))).toBe('flat');
    expect(reader.values[slot]).toBe(7);
    expect(reader.read(event(`{"a":${'[{"a":'.repeat(600)}1${'}]'.repeat(600)}}`))).toBe('flat');
  });

  test('no bytes, bytes of another type and no type', () => {
    const reader = new FieldReader();
    const slot = reader.slot(['a']);
    const read = (datacontenttype: string | undefined, data: Buffer | undefined): string =>
      reader.read(new MeshEvent({ id: '1', source: '/', type: 't', datacontenttype, data }));
    expect(read('application/json', undefined)).toBe('flat');
    expect(read('application/json', Buffer.alloc(0))).toBe('flat');
    expect(reader.values[slot]).toBe(undefined);
    expect(read('text/plain', Buffer.from('{"a":1}'))).toBe('not-json');
    expect(read('application/vnd.acme+json; v=1', Buffer.from('{"a":1}'))).toBe('flat');
    expect(reader.values[slot]).toBe(1);
    expect(read(undefined, Buffer.from('{"a":2}'))).toBe('flat');
    expect(reader.values[slot]).toBe(2);
    expect(read(undefined, Buffer.from('plain'))).toBe('not-json');
    expect(reader.present).toEqual([]);
  });
});
