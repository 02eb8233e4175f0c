import { type Draft, newDraft, setAttribute } from '../cloudevents/attributes.ts';
import { FairleadError } from '../core/errors.ts';
import { type AttributeValue, type EventInit, MeshEvent, newExtensions } from '../core/event.ts';
import { compileTemplate, type Template } from '../core/template.ts';
import type { TransformStep } from '../core/transform.ts';
import type { EventView } from './view.ts';

/** Changes attributes; `before` shows the event as the step found it. */
export type AttributeEdit = (event: MeshEvent, before: EventView) => MeshEvent;

type ContextName = 'id' | 'source' | 'type' | 'subject' | 'time' | 'datacontenttype' | 'dataschema';

const CONTEXT: ReadonlySet<string> = new Set<ContextName>([
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
]);

interface Setting {
  readonly name: string;
  readonly value: AttributeValue | Template;
}

/** Compiles `rename`, `remove` and `set` of a step; undefined where it has none of them. */
export function compileAttributes(step: TransformStep): AttributeEdit | undefined {
  const renames = Object.entries(step.rename ?? {});
  const removed = step.remove ?? [];
  const settings = Object.entries(step.set ?? {}).map(([name, value]) => setting(name, value));
  if (renames.length + removed.length + settings.length === 0) return undefined;
  return (event, before) => {
    const edit = new Edit(event);
    const moved = renames.map(([from]) => event.attribute(from));
    for (const [from] of renames) edit.put(from, undefined);
    renames.forEach(([, to], index) => {
      const value = moved[index];
      if (value !== undefined) edit.put(to, checked(to, value));
    });
    for (const name of removed) edit.put(name, undefined);
    for (const { name, value } of settings) {
      const known = typeof value !== 'object' || Buffer.isBuffer(value);
      edit.put(name, known ? value : checked(name, before.render(value)));
    }
    return edit.finish();
  };
}

/** Constants are checked once, here. Throws `E_TEMPLATE` and `E_TRANSFORM_ATTRIBUTE`. */
function setting(name: string, value: string | number | boolean): Setting {
  if (typeof value !== 'string') return { name, value: checked(name, value) };
  const template = compileTemplate(value);
  if (template.names.length > 0) return { name, value: template };
  return { name, value: checked(name, template.render(() => undefined) ?? '') };
}

/** The value, if the attribute may have it (CloudEvents 1.0.2 §3). Throws `E_TRANSFORM_ATTRIBUTE`. */
export function checked(name: string, value: AttributeValue): AttributeValue {
  const draft: Draft = newDraft();
  try {
    setAttribute(draft, name, value);
    return value;
  } catch (error) {
    if (!(error instanceof FairleadError)) throw error;
    throw new FairleadError({ code: 'E_TRANSFORM_ATTRIBUTE', message: error.message });
  }
}

/** Collects changes, so that an event to which nothing happens stays the same object with its verbatim bytes. */
class Edit {
  readonly #event: MeshEvent;
  #init: EventInit | undefined;
  #extensions: Record<string, AttributeValue> | undefined;

  constructor(event: MeshEvent) {
    this.#event = event;
  }

  put(name: string, value: AttributeValue | undefined): void {
    if (CONTEXT.has(name)) {
      const before = (this.#init ?? this.#event)[name as ContextName];
      if (before !== value) this.#change()[name as ContextName] = value as string;
      return;
    }
    const { extensions } = this.#event;
    if ((this.#extensions ?? extensions)[name] === value) return;
    this.#extensions ??= Object.assign(newExtensions(), extensions);
    if (value === undefined) delete this.#extensions[name];
    else this.#extensions[name] = value;
  }

  finish(): MeshEvent {
    if (this.#extensions !== undefined) this.#change().extensions = this.#extensions;
    return this.#init === undefined ? this.#event : new MeshEvent(this.#init);
  }

  /** Everything of the event but its verbatim bytes. */
  #change(): EventInit {
    if (this.#init !== undefined) return this.#init;
    const { id, source, type, subject, time, datacontenttype, dataschema, extensions, data } = this.#event;
    this.#init = { id, source, type, subject, time, datacontenttype, dataschema, extensions, data };
    return this.#init;
  }
}
