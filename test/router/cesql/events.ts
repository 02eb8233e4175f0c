import fc from 'fast-check';
import { type AttributeValue, MeshEvent, newExtensions } from '../../../src/core/event.ts';

/** Texts of which events and expressions are made, so that they meet: `5` and `05`, `TRUE` and `true`, pairs, spaces. */
const TEXTS = [
  ...['', 'a', 'b', 'ab', 'aab', 'abab', 'a%b', 'a_b', 'x', '5', '05', '-0', '+7', '2147483648', '0x10', '1e3', ' 5'],
  ...[
    'true',
    'TRUE',
    'false',
    'fAlSe',
    'com.acme.reading',
    '/plant/7',
    '😀',
    'a😀b',
    'é',
    '\ufeffx\u0085',
    "it's",
    'a\\b',
  ],
];
const INTEGERS = [0, 1, -1, 2, 5, 7, 1000, 46341, 2147483647, -2147483648];

export const text: fc.Arbitrary<string> = fc.constantFrom(...TEXTS);
export const integer: fc.Arbitrary<number> = fc.constantFrom(...INTEGERS);

/** Events with each attribute there or not, and extensions of every type. */
export const anyEvent: fc.Arbitrary<MeshEvent> = eventOf(text);

function eventOf(texts: fc.Arbitrary<string>): fc.Arbitrary<MeshEvent> {
  const special = fc.constantFrom<AttributeValue | undefined>(undefined, -0, 1.5, Buffer.from('ab'));
  const extension = fc.oneof(texts, integer, fc.boolean(), special);
  return fc
    .tuple(
      texts,
      texts,
      fc.option(texts),
      fc.option(texts),
      fc.record({ ext: extension, ext2: extension, '1x': extension }),
    )
    .map(([id, type, subject, time, some]) => {
      const extensions = newExtensions();
      for (const [key, value] of Object.entries(some)) if (value !== undefined) extensions[key] = value;
      const optional = { subject: subject ?? undefined, time: time ?? undefined };
      return new MeshEvent({ id, source: '/plant/7', type, ...optional, extensions });
    });
}

/** A few texts, so that many conditions hold, and Integers and Booleans with more than one text. */
const FEW = fc.constantFrom('a', 'ab', 'aab', '5', '05', '+5', 'true', 'TRUE');
export const anyFewEvent: fc.Arbitrary<MeshEvent> = eventOf(FEW);

/** Conjunctions of conditions on single attributes: what the index is given. */
export const anyConjunction: fc.Arbitrary<string> = fc
  .array(
    fc
      .tuple(fc.constantFrom('id', 'type', 'ext', 'ext2'), FEW)
      .chain(([attribute, value]) =>
        fc.constantFrom(
          `${attribute} = '${value}'`,
          `'${value}' = ${attribute}`,
          `${attribute} IN ('${value}')`,
          `${attribute} LIKE '${value}'`,
          `${attribute} LIKE '${value}%'`,
          `${attribute} LIKE '%${value}'`,
          `${attribute} LIKE '${value[0]}%${value.at(-1)}'`,
          `${attribute} LIKE '${value[0]}_%'`,
          `${attribute} LIKE '%_${value.at(-1)}'`,
          `(${attribute} != '${value}')`,
        ),
      ),
    { minLength: 1, maxLength: 2 },
  )
  .map((conditions) => conditions.join(' AND '));
