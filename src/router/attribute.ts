import type { AttributeValue } from '../core/event.ts';

/** An attribute as the text that filters compare: booleans and integers in canonical form, bytes as base64. */
export function attributeText(value: AttributeValue): string {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('base64') : String(value);
}
