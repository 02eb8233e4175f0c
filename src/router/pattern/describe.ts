import type { Bound, PatternTest } from './ast.ts';

/** Most alternatives that are written out. */
const SHOWN = 8;

/** What passes, for people: `"a" or a number > 90`. */
export function describeTests(tests: readonly PatternTest[]): string {
  const shown = tests.slice(0, SHOWN).map(describeTest);
  if (tests.length > SHOWN) shown.push(`${tests.length - SHOWN} others`);
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

function describeTest(test: PatternTest): string {
  switch (test.kind) {
    case 'exact':
      return JSON.stringify(test.value);
    case 'null':
      return 'null';
    case 'prefix':
    case 'suffix': {
      const verb = test.kind === 'prefix' ? 'beginning' : 'ending';
      return `text ${verb} with ${JSON.stringify(test.value)}${test.ignoreCase ? ' in any case' : ''}`;
    }
    case 'equals-ignore-case':
      return `${JSON.stringify(test.value)} in any case`;
    case 'numeric':
      return describeRange(test.min, test.max);
    case 'exists':
      return test.value ? 'any value' : 'no value';
    case 'wildcard':
      return `text like ${JSON.stringify(test.segments.map((text) => text.replaceAll(/[*\\]/g, '\\$&')).join('*'))}`;
    case 'cidr':
      return `an address in ${test.network.text}`;
    case 'anything-but':
      return `anything but ${describeTests(test.tests)}`;
  }
}

function describeRange(min: Bound | undefined, max: Bound | undefined): string {
  if (min !== undefined && max !== undefined && min.value === max.value) return `the number ${min.value}`;
  const ends = [
    ...(min === undefined ? [] : [`>${min.inclusive ? '=' : ''} ${min.value}`]),
    ...(max === undefined ? [] : [`<${max.inclusive ? '=' : ''} ${max.value}`]),
  ];
  return `a number ${ends.join(' and ')}`;
}
