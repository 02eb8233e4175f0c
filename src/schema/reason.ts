import type { ErrorObject } from 'ajv';
import type { Refusal } from '../core/validation.ts';

const MAX_PATH = 200;
const MAX_MESSAGE = 300;

/** Where in the data and which rule: the words of the schema, never values of the data. */
export function refusalOf(error: ErrorObject | undefined): Refusal {
  if (error === undefined) return invalid('the data is not valid');
  const { instancePath, keyword, message = 'is not met' } = error;
  const path = instancePath === '' ? '/' : printable(cut(instancePath, MAX_PATH));
  return invalid(`${path}: ${keyword}: ${printable(cut(message, MAX_MESSAGE))}`);
}

export function invalid(message: string): Refusal {
  return { code: 'E_SCHEMA_INVALID', message };
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
