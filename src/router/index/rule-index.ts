import { attributeText } from '../attribute.ts';
import { compileAttribute } from '../cesql/attributes.ts';
import { castInteger } from '../cesql/casts.ts';
import type { BodyIndex } from './body-index.ts';
import { type FieldIndex, gatherValue } from './field-index.ts';
import type { Candidates, Posting, Subindex } from './posting.ts';

/** With more extension attributes than these it is the event's that are looked up in the index, not the other way round. */
const MANY = 16;

export interface AttributeIndex {
  readonly name: string;
  readonly index: FieldIndex;
}

export interface RuleIndexParts {
  /** Rules of which nothing is known: candidates of every event. */
  readonly always: Posting | undefined;
  readonly texts: readonly AttributeIndex[];
  readonly integers: readonly AttributeIndex[];
  readonly body: BodyIndex | undefined;
}

/** Rules by the most selective of their terms. */
export class RuleIndex implements Subindex {
  readonly #always: Posting | undefined;
  readonly #texts: readonly AttributeIndex[];
  readonly #byName: ReadonlyMap<string, FieldIndex> | undefined;
  readonly #integers: readonly Integers[];
  readonly #body: BodyIndex | undefined;

  constructor({ always, texts, integers, body }: RuleIndexParts) {
    const extensions = texts.filter(({ name }) => !CONTEXT.has(name));
    const many = extensions.length > MANY;
    this.#always = always;
    this.#texts = many ? texts.filter(({ name }) => CONTEXT.has(name)) : texts;
    this.#byName = many ? new Map(extensions.map(({ name, index }) => [name, index])) : undefined;
    this.#integers = integers.map(({ name, index }) => ({ read: compileAttribute(name), index }));
    this.#body = body;
  }

  gather(into: Candidates): void {
    const { event } = into;
    if (this.#always !== undefined) into.add(this.#always);
    const texts = this.#texts;
    for (let at = 0; at < texts.length; at += 1) {
      const { name, index } = texts[at] as AttributeIndex;
      const value = event.attribute(name);
      if (value !== undefined) gatherValue(index, typeof value === 'string' ? value : attributeText(value), into);
    }
    if (this.#byName !== undefined) this.#extensions(this.#byName, into);
    const integers = this.#integers;
    for (let at = 0; at < integers.length; at += 1) {
      const { read, index } = integers[at] as Integers;
      const value = read(event);
      const integer = typeof value === 'object' ? value : castInteger(value);
      if (typeof integer === 'number') gatherValue(index, integer, into);
    }
    if (this.#body === undefined) return;
    const body = event.json();
    if (body !== undefined) this.#body.gather(body, into);
  }

  #extensions(byName: ReadonlyMap<string, FieldIndex>, into: Candidates): void {
    const { extensions } = into.event;
    for (const name in extensions) {
      const index = byName.get(name);
      const value = extensions[name];
      if (index !== undefined && value !== undefined) gatherValue(index, attributeText(value), into);
    }
  }
}

interface Integers {
  readonly read: ReturnType<typeof compileAttribute>;
  readonly index: FieldIndex;
}

const CONTEXT: ReadonlySet<string> = new Set([
  'id',
  'source',
  'type',
  'specversion',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
]);
