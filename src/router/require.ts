import type { AttributeValue } from '../core/event.ts';
import { compileTemplate, type Template } from '../core/template.ts';
import { attributeText } from './attribute.ts';

/** By label: templates over attributes, of which the label's value must equal one. All labels must hold (AND). */
export type Requirements = Readonly<Record<string, readonly string[]>>;

/** What a requirement looks at on a target. */
export interface Labelled {
  readonly labels: Readonly<Record<string, string | number | boolean>>;
}

/** What a requirement looks at on an event. */
export interface Attributed {
  attribute(name: string): AttributeValue | undefined;
}

/**
 * Indices of the targets that an event may go to, ascending; the same array for the same targets, so that it can be told by
 * identity. Do not change it.
 */
export type Eligibility = (event: Attributed) => readonly number[];

/** Values of attributes, or of combinations of them, whose answer is kept. */
const MAX_KEPT = 1_024;
/** Sets of targets that are told by identity. */
const MAX_SETS = 4_096;
/** Longer ones are worked out each time. */
const MAX_KEY_CHARACTERS = 256;

/** A requirement on one label; of a target without the label the text is undefined, which nothing equals. */
export interface Requirement {
  readonly label: string;
  readonly values: readonly Template[];
}

/**
 * Compiles `require` of a choice. Without templates the answer is one array for all events; with templates it is kept by
 * the values of the attributes they name, at most 1,024 of them. A template over a missing attribute without a default
 * equals nothing. After 4,096 sets of targets some may be given as another array. Throws FairleadError `E_TEMPLATE`.
 */
export function compileRequire(require: Requirements, targets: readonly Labelled[]): Eligibility {
  const requirements = parseRequire(require);
  const fixed = requirements.filter(isFixed);
  const open = requirements.filter((one) => !isFixed(one));
  const none = (): undefined => undefined;
  const possible = [...targets.keys()].filter((at) => meets(targets[at] as Labelled, fixed, none));
  if (open.length === 0 || possible.length === 0) return () => possible;

  const intern = interner();
  const ask = (event: Attributed): readonly number[] => {
    const resolve = textOf(event);
    return intern(possible.filter((at) => meets(targets[at] as Labelled, open, resolve)));
  };
  return keep(ask, [...new Set(open.flatMap(({ values }) => values.flatMap(({ names }) => names)))]);
}

/** The requirements with their templates compiled. Throws FairleadError `E_TEMPLATE`. */
export function parseRequire(require: Requirements): readonly Requirement[] {
  return Object.entries(require).map(([label, values]) => ({ label, values: values.map(compileTemplate) }));
}

/** The value of a label as it is compared. */
export function labelText({ labels }: Labelled, label: string): string | undefined {
  return Object.hasOwn(labels, label) ? String(labels[label]) : undefined;
}

/** The attributes of an event as templates take them. */
export function textOf(event: Attributed): (name: string) => string | undefined {
  return (name) => {
    const value = event.attribute(name);
    return value === undefined ? undefined : attributeText(value);
  };
}

function isFixed({ values }: Requirement): boolean {
  return values.every(({ names }) => names.length === 0);
}

function meets(
  target: Labelled,
  requirements: readonly Requirement[],
  resolve: Parameters<Template['render']>[0],
): boolean {
  return requirements.every(({ label, values }) => {
    const text = labelText(target, label);
    return text !== undefined && values.some((value) => value.render(resolve) === text);
  });
}

/** Gives the first array of each content. */
function interner(): (indices: readonly number[]) => readonly number[] {
  const sets = new Map<string, readonly number[]>();
  return (indices) => {
    const key = indices.join();
    const known = sets.get(key);
    if (known !== undefined) return known;
    if (sets.size >= MAX_SETS) sets.clear();
    sets.set(key, indices);
    return indices;
  };
}

/** Answers kept by the attributes they depend on; all are let go when there are too many. */
function keep(ask: Eligibility, names: readonly string[]): Eligibility {
  const kept = new Map<string | undefined, readonly number[]>();
  const key = names.length === 1 ? keyOfOne(names[0] as string) : keyOfSeveral(names);
  return (event) => {
    const values = key(event);
    const found = kept.get(values);
    if (found !== undefined) return found;
    const answer = ask(event);
    if (values !== undefined && values.length > MAX_KEY_CHARACTERS) return answer;
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(values, answer);
    return answer;
  };
}

function keyOfOne(name: string): (event: Attributed) => string | undefined {
  return (event) => {
    const value = event.attribute(name);
    return typeof value === 'string' || value === undefined ? value : attributeText(value);
  };
}

/** Lengths stand before the values, so that no two combinations look alike. */
function keyOfSeveral(names: readonly string[]): (event: Attributed) => string {
  return (event) => {
    let key = '';
    for (const name of names) {
      const value = event.attribute(name);
      const text = typeof value === 'string' || value === undefined ? value : attributeText(value);
      key += text === undefined ? '-' : `${text.length}:${text}`;
    }
    return key;
  };
}
