import type { BodyIndex } from './body-index.ts';
import { type FieldIndex, gatherAttribute } from './field-index.ts';
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
  readonly attributes: readonly AttributeIndex[];
  readonly body: BodyIndex | undefined;
}

/** Rules by the most selective of their terms. */
export class RuleIndex implements Subindex {
  readonly #always: Posting | undefined;
  readonly #attributes: readonly AttributeIndex[];
  readonly #extensions: ReadonlyMap<string, FieldIndex> | undefined;
  readonly #body: BodyIndex | undefined;

  constructor({ always, attributes, body }: RuleIndexParts) {
    const extensions = attributes.filter(({ name }) => !CONTEXT.has(name));
    const many = extensions.length > MANY;
    this.#always = always;
    this.#attributes = many ? attributes.filter(({ name }) => CONTEXT.has(name)) : attributes;
    this.#extensions = many ? new Map(extensions.map(({ name, index }) => [name, index])) : undefined;
    this.#body = body;
  }

  gather(into: Candidates): void {
    const { event } = into;
    if (this.#always !== undefined) into.add(this.#always);
    const attributes = this.#attributes;
    for (let at = 0; at < attributes.length; at += 1) {
      const { name, index } = attributes[at] as AttributeIndex;
      const value = event.attribute(name);
      if (value !== undefined) gatherAttribute(index, value, into);
    }
    if (this.#extensions !== undefined) this.#gatherExtensions(this.#extensions, into);
    if (this.#body !== undefined) this.#body.gather(into);
  }

  #gatherExtensions(byName: ReadonlyMap<string, FieldIndex>, into: Candidates): void {
    const { extensions } = into.event;
    for (const name in extensions) {
      const index = byName.get(name);
      const value = extensions[name];
      if (index !== undefined && value !== undefined) gatherAttribute(index, value, into);
    }
  }
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
