// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { describe, expect, test } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';

const surroundings = {
  env: { HOST: 'edge-7', EMPTY: '', TRICKY: '${HOST}' },
  readFile: (path: string): string => {
    if (path === '/ok') return 'text\n\n';
    throw Object.assign(new Error('no'), { code: 'EACCES' });
  },
};
const text = (raw: string): string => interpolate(raw, surroundings).text;

describe('references', () => {
  test.each([
    ['mqtt://${HOST}:1883', 'mqtt://edge-7:1883'],
    ['${NONE:-a:b-c}', 'a:b-c'],
    ['${EMPTY:-x}', 'x'],
    ['${EMPTY}', ''],
    ['${NONE:-}', ''],
    ['$${HOST}', '${HOST}'],
    ['$HOST {type} $', '$HOST {type} $'],
    ['${file:/ok}', 'text\n'],
    ['${HOST}${HOST}', 'edge-7edge-7'],
  ])('%s', (raw, resolved) => {
    expect(interpolate(raw, surroundings).mistakes).toEqual([]);
    expect(text(raw)).toBe(resolved);
  });

  test('what was put in is not resolved again', () => {
    expect(text('${TRICKY}')).toBe('${HOST}');
  });

  test('the environment is asked for own names only', () => {
    expect(interpolate('${constructor} ${toString}', surroundings).mistakes).toHaveLength(2);
  });

  test.each([
    ['${NONE}', 'E_CONFIG_VARIABLE'],
    ['${file:/no}', 'E_CONFIG_FILE'],
    ['${}', 'E_CONFIG_PLACEHOLDER'],
    ['${a b}', 'E_CONFIG_PLACEHOLDER'],
    ['${HOST', 'E_CONFIG_PLACEHOLDER'],
  ])('%s is %s', (raw, code) => {
    expect(interpolate(raw, surroundings).mistakes.map((mistake) => mistake.code)).toEqual([code]);
  });

  test('remembers where values came from', () => {
    expect([...interpolate('${HOST} ${file:/ok}', surroundings).origins].sort()).toEqual(['env', 'file']);
    expect(interpolate('$${HOST}', surroundings).origins.size).toBe(0);
  });
});
