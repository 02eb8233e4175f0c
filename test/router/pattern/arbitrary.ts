import fc from 'fast-check';

export const NAMES: readonly string[] = [
  'a',
  'a',
  'a',
  'a',
  'b',
  'b',
  'c',
  'größe',
  'q"uote',
  '',
  '__proto__',
  'constructor',
];
export const TEXTS: readonly string[] = [
  '',
  'a',
  'ab',
  'AB',
  'a*b',
  'größe',
  '😀',
  'tab\t',
  '5',
  '10.0.0.1',
  '::1',
  '\\',
];
export const NUMBERS: readonly number[] = [0, -0, 1, -1, 5, 1.5, 1e21, 9007199254740991, 1e-7, -12345.678];

const blank = fc.constantFrom('', '', '', ' ', '\n\t ');

/** Text as JSON, with and without escapes. */
function spelled(text: string): fc.Arbitrary<string> {
  const escaped = `"${[...text].map((c) => [...unitsOf(c)].join('')).join('')}"`;
  return fc.constantFrom(JSON.stringify(text), escaped);
}

function* unitsOf(c: string): Generator<string> {
  for (let at = 0; at < c.length; at += 1) yield `\\u${c.charCodeAt(at).toString(16).padStart(4, '0')}`;
}

const scalar = fc.oneof(
  fc.constantFrom(...TEXTS, 'a', 'a', 'a').chain(spelled),
  fc.constantFrom(...NUMBERS).map(String),
  fc.constantFrom('true', 'false', 'null', '1.0', '1E2', '-0.0', '12345678901234567890', '"\\ud800"', '"\\/"'),
);

const { map, value } = fc.letrec<{ value: string; map: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    tie('map'),
    fc
      .array(fc.tuple(blank, tie('value')), { maxLength: 4 })
      .map((all) => `[ ${all.map(([x, v]) => x + v).join(',')}]`),
    fc.array(fc.tuple(blank, tie('map')), { maxLength: 4 }).map((all) => `[ ${all.map(([x, v]) => x + v).join(',')}]`),
  ),
  map: fc
    .array(fc.tuple(blank, fc.constantFrom(...NAMES).chain(spelled), blank, tie('value'), blank), { maxLength: 5 })
    .map((members) => `{${members.map(([x, name, y, one, z]) => `${x}${name}${y}:${x}${one}${z}`).join(',')} }`),
}));

/** JSON texts with names that stand twice, blanks everywhere and every way to spell text; mostly maps. */
export const anyJsonText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: map },
  { weight: 1, arbitrary: value },
);

/** Texts that are mostly JSON, some damaged by a change of one place. */
export const anyBody: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: anyJsonText },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        anyJsonText,
        fc.nat(),
        fc.constantFrom('', '"', '\\', ',', ':', '{', ']', '0', 'e', '\u0001', '\ufeff', '.', '-'),
      )
      .map(([text, at, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + 1))
      .map((text) => Buffer.from(text).toString()), // a pair of surrogates may be cut
  },
);

const name = fc.constantFrom('a', 'a', 'a', 'a', 'a', 'b', ...NAMES);
const text = fc.constantFrom(...TEXTS, 'a', 'a');
const number = fc.constantFrom(0, 1, 5, 1.5, -1);
const oneOrMore = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> =>
  fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }));
const wildcard = fc.constantFrom('*', 'a*', '*b', 'a*b', '*a*', '\\**', '\\\\*', 'größe');

const entry: fc.Arbitrary<unknown> = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constant(null),
  text.map((value) => ({ prefix: value })),
  text.map((value) => ({ suffix: { 'equals-ignore-case': value } })),
  text.map((value) => ({ 'equals-ignore-case': value })),
  wildcard.map((value) => ({ wildcard: value })),
  fc.boolean().map((value) => ({ exists: value })),
  fc.constantFrom(['=', 5], ['>', 0], ['>=', 0, '<', 5]).map((value) => ({ numeric: value })),
  fc.constantFrom('10.0.0.0/8', '::/64', '10.0.0.1').map((value) => ({ cidr: value })),
  fc
    .oneof(
      oneOrMore(text),
      oneOrMore(number),
      oneOrMore(wildcard).map((value) => ({ wildcard: value })),
      oneOrMore(text.filter((value) => value !== '')).map((value) => ({ suffix: value })),
      oneOrMore(text).map((value) => ({ 'equals-ignore-case': value })),
    )
    .map((value) => ({ 'anything-but': value })),
);

function fieldsOf(depth: number): fc.Arbitrary<Record<string, unknown>> {
  const tests = fc.array(entry, { minLength: 1, maxLength: 5 });
  const inner =
    depth === 0 ? tests : fc.oneof({ weight: 2, arbitrary: tests }, { weight: 1, arbitrary: fieldsOf(depth - 1) });
  const members = fc.array(fc.tuple(name, inner), { minLength: 1, maxLength: 2 });
  if (depth === 0) return members.map((list) => Object.fromEntries(list));
  const or = fc.option(fc.array(fieldsOf(depth - 1), { minLength: 2, maxLength: 2 }), { freq: 4 });
  return fc
    .tuple(members, or)
    .map(([list, group]) => Object.fromEntries([...list, ...(group === null ? [] : [['$or', group] as const])]));
}

/** The part of a pattern below `data`. */
export const anyFields: fc.Arbitrary<Record<string, unknown>> = fieldsOf(2);
