import { RE2JS } from 're2js';

interface LinearRegExp {
  test(text: string): boolean;
}

/**
 * The regular expressions of `pattern` and `patternProperties`, matched in linear time whatever the data (RE2). Throws
 * on what RE2 does not have: look-around and back references.
 */
function linearRegExp(pattern: string): LinearRegExp {
  // re2js reads \k<name> as the letter k
  if (/(?<!\\)(?:\\\\)*\\k</.test(pattern)) throw new SyntaxError('back references are not supported');
  return RE2JS.compile(RE2JS.translateRegExp(pattern));
}

/** What ajv takes as `code.regExp`; `code` is only for standalone code, which is never made. */
export const REGEXP_ENGINE: typeof linearRegExp & { code: string } = Object.assign(linearRegExp, {
  code: 'linearRegExp',
});
