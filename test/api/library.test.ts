import { fileURLToPath, pathToFileURL } from 'node:url';
import { CloudEvent } from 'cloudevents';
import { expect, test } from 'vitest';

// As a program that depends on the package has it: compiled, through its entry.
const entry = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
const fairlead = (await import(pathToFileURL(entry).href)) as typeof import('../../src/index.ts');
const { compileCesql, compilePattern, createMatcher, createMatcherInSlices, MeshEvent } = fairlead;

const attributes = { id: '1', source: '/plant/7', type: 'com.acme.reading', subject: 'sensor-1' };
const data = { celsius: 93.5, device: { tags: ['a', 'b'] } };
const extensions = { level: 3, hot: true };

const EVENTS = {
  'a plain object': { specversion: '1.0', ...attributes, ...extensions, data },
  'a plain object with bytes': { ...attributes, ...extensions, data: Buffer.from(JSON.stringify(data)) },
  'a plain object with base64': {
    ...attributes,
    ...extensions,
    data_base64: Buffer.from(JSON.stringify(data)).toString('base64'),
  },
  'a CloudEvent of the SDK': new CloudEvent({ ...attributes, ...extensions, data }),
  'a MeshEvent': new MeshEvent({
    ...attributes,
    extensions: Object.assign(fairlead.newExtensions(), extensions),
    data: Buffer.from(JSON.stringify(data)),
  }),
};

const ROUTES = [
  { name: 'all' },
  { name: 'reading', filters: [{ exact: { type: 'com.acme.reading' }, prefix: { source: '/plant/' } }] },
  { name: 'order', filters: [{ exact: { type: 'com.acme.order' } }] },
  { name: 'low', filters: [{ sql: "type LIKE 'com.%' AND level < 5 AND hot = TRUE" }] },
  { name: 'hot', pattern: { data: { celsius: [{ numeric: ['>', 90] }], device: { tags: ['b'] } } } },
  { name: 'cold', pattern: { data: { celsius: [{ numeric: ['<', 0] }] } } },
];

test.each(Object.entries(EVENTS))('%s', async (_name, event) => {
  expect(compileCesql("subject = 'sensor-1' AND level + 1 = 4").evaluate(event)).toEqual({ value: true });
  expect(compileCesql('nothing').evaluate(event)).toMatchObject({ error: { kind: 'missingAttribute' } });
  expect(compilePattern({ level: [3], data: { device: { tags: ['b'] } } }).test(event)).toBe(true);
  expect(compilePattern({ data: { celsius: [1] } }).test(event)).toBe(false);
  expect(createMatcher(ROUTES).match(event)).toEqual(['all', 'reading', 'low', 'hot']);
  expect((await createMatcherInSlices(ROUTES)).match(event)).toEqual(['all', 'reading', 'low', 'hot']);
});

test('continue: false ends the search', () => {
  const matcher = createMatcher([{ name: 'first', continue: false }, { name: 'second' }]);
  expect(matcher.match(EVENTS['a plain object'])).toEqual(['first']);
});

test('what is wrong is told with a code and a place', async () => {
  expect(() => compileCesql('type =')).toThrow(
    expect.objectContaining({ position: { offset: 6, line: 1, column: 7 } }),
  );
  const misspelt = { name: 'x', pattern: { data: { a: [{ prefx: 'b' }] } } };
  expect(() => createMatcher([misspelt])).toThrow(fairlead.PatternError);
  await expect(createMatcherInSlices([misspelt])).rejects.toThrow(fairlead.FairleadError);
  expect(() => createMatcher([{ name: 'x' }]).match({ type: 'a', source: '/b' })).toThrow(
    expect.objectContaining({ code: 'E_CE_MISSING' }),
  );
});

test('a build in slices ends with its signal', async () => {
  const controller = new AbortController();
  const routes = Array.from({ length: 2_000 }, (_, n) => ({ name: `r${n}`, filters: [{ exact: { type: `t${n}` } }] }));
  const yieldTo = (): Promise<void> => {
    controller.abort(new Error('enough'));
    return Promise.resolve();
  };
  await expect(createMatcherInSlices(routes, { sliceMs: 0, yieldTo, signal: controller.signal })).rejects.toThrow(
    'enough',
  );
});
