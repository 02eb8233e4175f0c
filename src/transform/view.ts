import { canonical } from '../cloudevents/attributes.ts';
import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import type { Template } from '../core/template.ts';
import { JsonNode } from './json-tree.ts';

/** What templates see of one event: attributes by name, data by `data` and `data.…`; the data is scanned once, if at all. */
export class EventView {
  readonly #event: MeshEvent;
  #data: JsonNode | undefined;

  constructor(event: MeshEvent) {
    this.#event = event;
  }

  /** The value of a name as text. Throws `E_TRANSFORM_DATA` where it is one of the data's and that is not JSON. */
  readonly resolve = (name: string): string | undefined => {
    if (isDataName(name)) return this.node(name)?.text;
    const value = this.#event.attribute(name);
    return value === undefined ? undefined : canonical(value);
  };

  /** The value of a name in the data, as it stands there. */
  node(name: string): JsonNode | undefined {
    const { data } = this.#event;
    if (data === undefined) return undefined;
    this.#data ??= JsonNode.parse(data);
    return name === 'data' ? this.#data : this.#data.find(name.slice('data.'.length).split('.'));
  }

  /** Throws `E_TRANSFORM_TEMPLATE` where a name has no value. */
  render(template: Template): string {
    const text = template.render(this.resolve);
    if (text !== undefined) return text;
    const missing = template.names.filter((name) => this.resolve(name) === undefined);
    const what = `the template "${template.text}" names {${missing.join('}, {')}}, which the event does not have`;
    throw new FairleadError({ code: 'E_TRANSFORM_TEMPLATE', message: what });
  }
}

/** Whether a template's name is one of the data. */
export function isDataName(name: string): boolean {
  return name === 'data' || name.startsWith('data.');
}
