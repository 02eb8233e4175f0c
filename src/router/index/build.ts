import type { FieldReader } from '../pattern/field-reader.ts';
import { BodyIndex } from './body-index.ts';
import type { Field } from './condition.ts';
import { type Entry, Groups, type Pivoted } from './groups.ts';
import { postingOf } from './posting.ts';
import { type AttributeIndex, RuleIndex } from './rule-index.ts';
import { Selectivity } from './selectivity.ts';
import { STEP, type Steps } from './slices.ts';

/** Rules that share a pivot get an index of their other terms from this many on. */
const SPLIT = 24;
/** Levels of such indexes: each costs the event another look. */
const MAX_LEVELS = 4;

/** Indexes entries, in ascending order of their rules, each by the most selective of its clauses. */
export function* buildIndex(entries: readonly Entry[], reader: FieldReader, level = 1): Steps<RuleIndex> {
  const selectivity = new Selectivity();
  for (let at = 0; at < entries.length; at += 1) {
    selectivity.count((entries[at] as Entry).clauses);
    if (at % STEP === 0) yield;
  }
  const always: number[] = [];
  const groups = new Map<Field, Groups>();
  for (let at = 0; at < entries.length; at += 1) {
    const { rule, clauses } = entries[at] as Entry;
    const pivot = selectivity.pivot(clauses);
    if (pivot === undefined) always.push(rule);
    else for (const term of pivot) groupsOf(groups, term.field).add(term, { rule, clauses, pivot }, selectivity);
    if (at % STEP === 0) yield;
  }
  const attributes: AttributeIndex[] = [];
  let body: BodyIndex | undefined;
  for (const [field, group] of groups) {
    const index = yield* group.build((found) => split(found, reader, level));
    if (field.kind === 'body') {
      body ??= new BodyIndex(reader);
      body.set(field.path, index);
    } else attributes.push({ name: field.name, index });
  }
  return new RuleIndex({ always: always.length === 0 ? undefined : postingOf(always), attributes, body });
}

function groupsOf(groups: Map<Field, Groups>, field: Field): Groups {
  let found = groups.get(field);
  if (found === undefined) {
    found = new Groups();
    groups.set(field, found);
  }
  return found;
}

/** An index of what else the rules of a pivot ask for; undefined where they are few or ask for little else. */
function split(found: readonly Pivoted[], reader: FieldReader, level: number): Steps<RuleIndex> | undefined {
  if (found.length < SPLIT || level >= MAX_LEVELS) return undefined;
  const entries = found.map(({ rule, clauses, pivot }) => ({ rule, clauses: clauses.filter((one) => one !== pivot) }));
  const empty = entries.reduce((count, { clauses }) => count + (clauses.length === 0 ? 1 : 0), 0);
  return empty > entries.length / 2 ? undefined : buildIndex(entries, reader, level + 1);
}
