import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonNode } from '../../src/transform/json-tree.ts';
import { data, one, run, withData } from './steps.ts';

describe('fields', () => {
  test('are dropped by path, everywhere with *', async () => {
    const json = '{"a":{"b":1,"c":2},"items":[{"p":1,"note":"x"},{"note":"y"},7],"m":{"k":{"s":1},"l":{"s":2}}}';
    expect(await data(json, { remove: ['a.b', 'items.*.note', 'm.*.s', 'items.2', 'none.at.all'] })).toBe(
      '{"a":{"c":2},"items":[{"p":1},{}],"m":{"k":{},"l":{}}}',
    );
    expect(await data('{"items":[1,2],"m":{"a":1}}', { remove: ['items.*', 'm.*'] })).toBe('{"items":[],"m":{}}');
  });

  test('are renamed and moved; two can change places', async () => {
    expect(await data('{"temp":1.0,"a":1,"b":{"c":2}}', { rename: { temp: 'celsius', a: 'b.c', 'b.c': 'a' } })).toBe(
      '{"b":{"c":1},"celsius":1.0,"a":2}',
    );
  });

  test('are set to constants and templates; one slot alone keeps the type', async () => {
    const set = {
      site: '{source}',
      'meta.version': 2,
      copy: '{data.n}',
      text: 'n={data.n}',
      list: [true, '{data.s}', { deep: '{data.o}' }],
      s: 'new',
    };
    expect(await data('{"n":1.50,"s":"old","o":{"k":[1]}}', { set })).toBe(
      '{"n":1.50,"s":"new","o":{"k":[1]},"site":"/test/suite","meta":{"version":2},"copy":1.50,"text":"n=1.50","list":[true,"old",{"deep":{"k":[1]}}]}',
    );
  });

  test('a name may hold dots and be __proto__', async () => {
    expect(await data('{"a.b":1,"__proto__":{"x":1}}', { remove: ['a\\.b'], set: { '__proto__.y': 2 } })).toBe(
      '{"__proto__":{"x":1,"y":2}}',
    );
    expect(({} as Record<string, unknown>)['y']).toBeUndefined();
  });

  test('of the same name: the last counts, all are dropped', async () => {
    expect(await data('{"a":1,"b":0,"a":2}', { rename: { a: 'c' } })).toBe('{"b":0,"c":2}');
    expect(await data('{"a":1,"a":2}', { set: { a: 3 } })).toBe('{"a":3}');
  });

  test('everything else stays byte for byte', async () => {
    const json = '{"big":12345678901234567890, "one":1.0,"u":"\\u00e9", "nested" : { "x" : 1e2 , "drop":0 },"drop":1}';
    expect(await data(json, { remove: ['drop', 'nested.drop'] })).toBe(
      '{"big":12345678901234567890,"one":1.0,"u":"\\u00e9","nested":{"x":1e2}}',
    );
  });

  test.each([
    ['{"a":1}', { set: { 'a.b': 1 } }],
    ['[1]', { set: { '1': 1 } }],
    ['"text"', { set: { a: 1 } }],
    ['{"a":', { remove: ['a'] }],
    ['\u00ff', { remove: ['a'] }],
  ])('%s cannot take %o', async (json, step) => {
    expect(await run(withData(json), { data: step })).toBe('E_TRANSFORM_DATA');
  });

  test('an event without data is left alone unless fields are set', async () => {
    const bare = withData('{}', { data: undefined, datacontenttype: undefined });
    expect(await one(bare, { data: { remove: ['a'], rename: { b: 'c' } } })).toBe(bare);
    expect(await run(bare, { data: { set: { a: 1 } } })).toBe('E_TRANSFORM_DATA');
  });

  test('the media type becomes JSON unless it says so already', async () => {
    const type = async (datacontenttype: string | undefined): Promise<string | undefined> =>
      (await one(withData('{"a":1}', { datacontenttype }), { data: { remove: ['a'] } })).datacontenttype;
    expect(await type('application/vnd.acme+json')).toBe('application/vnd.acme+json');
    expect(await type('text/plain')).toBe('application/json');
    expect(await type(undefined)).toBe('application/json');
  });
});

describe('split', () => {
  test('makes an event of each element, with an id of its own and the bytes as they were', async () => {
    const event = withData('{"items":[{"n": 1.0}, "x",[ ],null]}', { subject: 's' });
    const parts = await run(event, { split: 'data.items' }, { set: { subject: '{id}' } });
    if (typeof parts === 'string') throw new Error(parts);
    expect(parts.map(({ id, subject, data: bytes }) => [id, subject, bytes?.toString()])).toEqual([
      ['one#0', 'one#0', '{"n": 1.0}'],
      ['one#1', 'one#1', '"x"'],
      ['one#2', 'one#2', '[ ]'],
      ['one#3', 'one#3', 'null'],
    ]);
    expect(new Set(parts.map(({ type, source, time }) => `${type}${source}${time}`)).size).toBe(1);
  });

  test('of an empty array gives nothing; of something else it fails', async () => {
    expect(await run(withData('[]'), { split: 'data' })).toEqual([]);
    expect(await run(withData('{"a":{}}'), { split: 'data.a' })).toBe('E_TRANSFORM_DATA');
    expect(await run(withData('{}'), { split: 'data.a' })).toBe('E_TRANSFORM_DATA');
    expect(await run(withData('[1]', { data: undefined }), { split: 'data' })).toBe('E_TRANSFORM_DATA');
  });

  test('is bounded, over several splits too', async () => {
    expect(await run(withData(`[${'1,'.repeat(10_000)}1]`), { split: 'data' })).toBe('E_TRANSFORM_LIMIT');
    const square = `[${Array.from({ length: 200 }, () => `[${'1,'.repeat(99)}1]`).join(',')}]`;
    expect(await run(withData(square), { split: 'data' }, { split: 'data' })).toBe('E_TRANSFORM_LIMIT');
  });
});

test('property: untouched values keep their text, and the result is what editing the parsed value gives', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'é', '__proto__', '0');
  const path = fc.array(name, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.object({ key: name, maxDepth: 3, values: [fc.integer(), fc.string(), fc.constant(null)] }),
      path,
      (value, way) => {
        const json = JSON.stringify(value, undefined, 1);
        const tree = JsonNode.parse(Buffer.from(json));
        const expected = JSON.parse(json) as Record<string, unknown>;
        let at: unknown = expected;
        for (const segment of way.slice(0, -1))
          at = typeof at === 'object' && at !== null && Object.hasOwn(at, segment) ? (at as never)[segment] : undefined;
        const last = way.at(-1) as string;
        const there = typeof at === 'object' && at !== null && Object.hasOwn(at, last);
        expect(tree.find(way) !== undefined).toBe(there);
        expect(tree.drop(way)).toBe(there);
        if (Array.isArray(at)) at.splice(Number(last), there ? 1 : 0);
        else if (there) delete (at as Record<string, unknown>)[last];
        expect(JSON.parse(tree.toBuffer().toString())).toEqual(expected);
      },
    ),
  );
});

test('property: what is JSON to the editor is what is JSON to JSON.parse', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    ' ',
    '0',
    '-',
    '1.5',
    'true',
    'null',
    'é',
    '\u0001',
    '"a":',
  );
  const parses = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const takes = (text: string): boolean => {
    try {
      expect(JSON.parse(JsonNode.parse(Buffer.from(text)).toBuffer().toString())).toEqual(JSON.parse(text));
      return true;
    } catch (error) {
      if ((error as { code?: string }).code !== 'E_TRANSFORM_DATA') throw error;
      return false;
    }
  };
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(3), piece, (json, place, cut, put) => {
      const at = place % (json.length + 1);
      const text = json.slice(0, at) + put + json.slice(at + cut);
      expect(takes(json)).toBe(true);
      expect(takes(text)).toBe(parses(text));
    }),
    { numRuns: 2_000 },
  );
});
