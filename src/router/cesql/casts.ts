import type { CesqlValue, Type } from './ast.ts';
import { Failure } from './failure.ts';

const NOT_AN_INTEGER = new Failure('cast', 'a String that is no Integer was used as one');
const NOT_A_BOOLEAN = new Failure('cast', 'a String other than "true" and "false" was used as a Boolean');

/** The casts of CESQL §3.7. A String never fails to come of a value. */
export function castString(value: CesqlValue): string {
  return typeof value === 'string' ? value : String(value);
}

/** Base 10 with an optional sign: no spaces, no `0x10`, no `1e3`. */
export function castInteger(value: CesqlValue): number | Failure {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const { length } = value;
  const sign = value.charCodeAt(0);
  const first = sign === 0x2d || sign === 0x2b ? 1 : 0;
  if (first === length) return NOT_AN_INTEGER;
  let integer = 0;
  for (let at = first; at < length; at += 1) {
    const digit = value.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return NOT_AN_INTEGER;
    integer = integer * 10 + digit;
    if (integer > 0x80000000) return NOT_AN_INTEGER;
  }
  if (sign === 0x2d) return 0 - integer;
  return integer === 0x80000000 ? NOT_AN_INTEGER : integer;
}

export function castBoolean(value: CesqlValue): boolean | Failure {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (value.length === 4 && value.toLowerCase() === 'true') return true;
  if (value.length === 5 && value.toLowerCase() === 'false') return false;
  return NOT_A_BOOLEAN;
}

/** Whether two values are equal once the left one is cast to the type of the right one (§3.7, ambiguous operators). */
export function equals(left: CesqlValue, right: CesqlValue): boolean | Failure {
  if (typeof left === typeof right) return left === right;
  const cast =
    typeof right === 'string' ? castString(left) : typeof right === 'number' ? castInteger(left) : castBoolean(left);
  return typeof cast === 'object' ? cast : cast === right;
}

export function typeOfValue(value: CesqlValue): Type {
  if (typeof value === 'string') return 'string';
  return typeof value === 'number' ? 'integer' : 'boolean';
}

/** The value of a type that stands in where an operation failed (§3.1). */
export function zeroOf(type: Type): CesqlValue {
  return type === 'string' ? '' : type === 'integer' ? 0 : false;
}
