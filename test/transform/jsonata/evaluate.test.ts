import { describe, expect, test } from 'vitest';
import { TransformFailure } from '../../../src/core/transform.ts';
import { compileEvaluation } from '../../../src/transform/jsonata/evaluate.ts';
import { LinearRegExp } from '../../../src/transform/jsonata/regex.ts';
import { program } from './pool.ts';

const INPUT = { a: 1, s: 'Grüße', items: [{ p: 2 }, { p: 3 }], constructor: { own: true } };

async function evaluate(expression: string, input: string = JSON.stringify(INPUT)): Promise<string> {
  const result = await compileEvaluation(program(expression))(Buffer.from(input), '{"type":"t","hop":3}');
  return result instanceof TransformFailure ? `${result.code} ${result.message}` : result.toString();
}

describe('results', () => {
  test.each([
    ['{ "sum": $sum(items.p), "text": s & "!" }', '{"sum":5,"text":"Grüße!"}'],
    ['$event.type & ":" & $event.hop', '"t:3"'],
    ['null', 'null'],
    ['items[p > 5].p', /^E_TRANSFORM_JSONATA the expression gave nothing/],
    ['items[0]', '{"p":2}'],
    ['$match("2024-01-02", /(?<y>\\d{4})-(\\d+)(z)?/).groups', '["2024","01",null]'],
    ['$replace(s, /ü/, "ue")', '"Grueße"'],
    ['$split("a, b,c", /,\\s*/)', '["a","b","c"]'],
    ['$contains(s, /GRÜSS|GRÜß/i)', 'true'],
    ['$contains("a/b", /a\\/b/)', 'true'],
  ])('%s', async (expression, expected) => {
    if (typeof expected === 'string') expect(await evaluate(expression)).toBe(expected);
    else expect(await evaluate(expression)).toMatch(expected);
  });

  test('an expression that nobody checked', async () => {
    expect(await evaluate('{ "a": ')).toMatch(/^E_TRANSFORM_SYNTAX/);
  });

  test('data that is no JSON, and no data', async () => {
    expect(await evaluate('1', '{"a":')).toBe('E_TRANSFORM_DATA the data is not JSON');
    expect((await compileEvaluation(program('{ "n": 1 }'))(undefined, '')).toString()).toBe('{"n":1}');
  });
});

describe('what an expression cannot do', () => {
  test.each([
    ['$eval("1+1")', '$eval is not available'],
    ['{ "f": $sum }', 'the result holds a function'],
    ['function($x) { $x }', 'the result holds a function'],
    ['$sum.constructor("return process")()', 'JSONata'],
    ['constructor.constructor("return process")()', 'JSONata'],
    ['process.env', 'gave nothing'],
    ['$string.constructor', 'gave nothing'],
    ['$lookup($, "__proto__")', 'gave nothing'],
    ['$.__proto__', 'gave nothing'],
  ])('%s', async (expression, why) => {
    expect(await evaluate(expression)).toMatch(new RegExp(`^E_TRANSFORM_JSONATA .*${why.replace('$', '\\$')}`));
  });

  test.each([
    '$ ~> |$|{ "__proto__": { "polluted": 1 } }|',
    '$merge([$, { "__proto__": { "polluted": 1 } }])',
    '{ "__proto__": { "polluted": 1 }, "constructor": { "prototype": { "polluted": 1 } } }',
    '$ ~> |constructor|{ "prototype": { "polluted": 1 }, "toString": 1 }|',
    '$spread({ "__proto__": { "polluted": 1 } })',
    'items{ "__proto__": p }',
    '$each($, function($v, $k) { { "__proto__": $v } })',
  ])('reach a prototype: %s', async (expression) => {
    await evaluate(expression);
    await evaluate(expression, '{"__proto__":{"polluted":1},"items":[{"p":1,"__proto__":{"polluted":1}}]}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(([] as unknown as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.prototype.toString.call('')).toBe('[object String]');
  });

  test('quote data in what it tells', async () => {
    for (const expression of [
      '$number(secret)',
      '$error(secret)',
      'secret + 1',
      '$assert(false, secret)',
      '$toMillis(secret)',
    ]) {
      const message = await evaluate(expression, '{"secret":"hunter2"}');
      expect(message).toMatch(/^E_TRANSFORM_JSONATA .*\(JSONata [DT]\d+\)$/);
      expect(message).not.toContain('hunter2');
    }
  });
});

describe('bounds', () => {
  test.each([
    ['[1..1e9]', 'E_TRANSFORM_LIMIT'],
    ['[1..200000]', 'E_TRANSFORM_LIMIT'],
    ['$reduce([1..40], function($a, $b) { $append($a, $a) }, [1])', 'E_TRANSFORM_LIMIT'],
    ['($f := function($n) { $f($n + 1) & "x" }; $f(0))', 'E_TRANSFORM_LIMIT'],
    ['$pad("", 200000, "x")', 'E_TRANSFORM_LIMIT'],
  ])('%s ends in %s', async (expression, code) => {
    expect((await evaluate(expression)).split(' ')[0]).toBe(code);
  });

  test('data nested too deeply to be written again', async () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect((await evaluate('{ "all": $ }', deep)).split(' ')[0]).toBe('E_TRANSFORM_LIMIT');
  });

  test('a loop without end is stopped by the time', async () => {
    const result = await compileEvaluation(program('($f := function($n) { $f($n + 1) }; $f(0))', { timeoutMs: 50 }))(
      Buffer.from('1'),
      '',
    );
    expect(result).toMatchObject({ code: 'E_TRANSFORM_TIMEOUT' });
  });

  test('regular expressions take linear time', async () => {
    for (const regex of ['/^(a+)+$/', '/(a|aa)+b/', '/(.*)*x/', '/^(([a-z])+.)+[A-Z]([a-z])+$/']) {
      const text = 'a'.repeat(30_000);
      expect(await evaluate(`$contains(s, ${regex})`, JSON.stringify({ s: `${text}!` }))).toMatch(/^(true|false)$/);
    }
  });
});

test('LinearRegExp goes on from lastIndex as RegExp does', () => {
  for (const [literal, text] of [
    [/a+/g, 'xaayaza'],
    [/^a/g, 'aaa'],
    [/(b)?c/g, 'bc c bbc'],
    [/é|😀/g, 'a😀bé😀'],
  ] as const) {
    const own = new LinearRegExp(new RegExp(literal.source, literal.flags));
    const native = new RegExp(literal.source, literal.flags);
    for (let n = 0; n < 5; n += 1) {
      const expected = native.exec(text);
      const found = own.exec(text);
      expect(found === null ? null : [...found, found.index, own.lastIndex]).toEqual(
        expected === null ? null : [...expected, expected.index, native.lastIndex],
      );
    }
  }
});
