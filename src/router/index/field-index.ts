import type { AttributeValue } from '../../core/event.ts';
import { attributeText } from '../attribute.ts';
import { foldCase } from '../pattern/fold.ts';
import type { Affixes } from './affixes.ts';
import { codesOf } from './codes.ts';
import type { Scalar } from './condition.ts';
import type { Parts } from './parts.ts';
import type { Candidates, Posting } from './posting.ts';
import type { Ranges } from './ranges.ts';

/** The terms on one field, by operator. What no rule uses is not there. */
export interface FieldIndex {
  readonly exact?: ReadonlyMap<Scalar, Posting> | undefined;
  readonly folded?: ReadonlyMap<Scalar, Posting> | undefined;
  readonly prefix?: Affixes | undefined;
  readonly suffix?: Affixes | undefined;
  readonly contains?: Parts | undefined;
  readonly range?: Ranges | undefined;
  /** Rules that ask for any value. */
  readonly present?: Posting | undefined;
}

/** Adds the rules whose terms a value of the field has. */
export function gatherValue(index: FieldIndex, value: Scalar, into: Candidates): void {
  const { exact, present, range } = index;
  if (present !== undefined) into.add(present);
  if (exact !== undefined) {
    const found = exact.get(value);
    if (found !== undefined) into.add(found);
  }
  if (typeof value === 'string') gatherText(index, value, into);
  else if (typeof value === 'number' && range !== undefined) range.gather(value, into);
}

function gatherText(index: FieldIndex, value: string, into: Candidates): void {
  const { folded, prefix, suffix, contains } = index;
  if (prefix !== undefined || suffix !== undefined || contains !== undefined) {
    const codes = codesOf(value);
    if (prefix !== undefined) prefix.gather(value, codes, into);
    if (suffix !== undefined) suffix.gather(value, codes, into);
    if (contains !== undefined) contains.gather(value, codes, into);
  }
  if (folded === undefined) return;
  const found = folded.get(foldCase(value));
  if (found !== undefined) into.add(found);
}

/** The same of an attribute, whose text may be a number. */
export function gatherAttribute(index: FieldIndex, value: AttributeValue, into: Candidates): void {
  const text = typeof value === 'string' ? value : attributeText(value);
  gatherValue(index, text, into);
  if (index.range !== undefined) index.range.gather(typeof value === 'boolean' ? Number(value) : Number(text), into);
}
