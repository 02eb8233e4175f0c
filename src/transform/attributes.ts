import { type Draft, newDraft, setAttribute } from '../cloudevents/attributes.ts';
import { FairleadError } from '../core/errors.ts';
import { type AttributeValue, type EventInit, type MeshEvent, newExtensions } from '../core/event.ts';
import { compileTemplate, type Template } from '../core/template.ts';
import type { TransformStep } from '../core/transform.ts';
import type { EventView } from './view.ts';

/** Changes attributes; `before` shows the event as the step found it. */
export type AttributeEdit = (event: MeshEvent, before: EventView) => MeshEvent;

const CONTEXT: ReadonlySet<string> = new Set([
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
  #context: Record<string, AttributeValue | undefined> | undefined;
  #extensions: Record<string, AttributeValue> | undefined;

  constructor(event: MeshEvent) {
    this.#event = event;
  }

  put(name: string, value: AttributeValue | undefined): void {
    if (this.#get(name) === value) return;
    if (CONTEXT.has(name)) {
      this.#context ??= {};
      this.#context[name] = value;
      return;
    }
    this.#extensions ??= Object.assign(newExtensions(), this.#event.extensions);
    if (value === undefined) delete this.#extensions[name];
    else this.#extensions[name] = value;
  }

  finish(): MeshEvent {
    if (this.#context === undefined && this.#extensions === undefined) return this.#event;
    const extensions = this.#extensions ?? this.#event.extensions;
    return this.#event.with({ ...(this.#context as Partial<EventInit> | undefined), extensions });
  }

  #get(name: string): AttributeValue | undefined {
    if (!CONTEXT.has(name)) return (this.#extensions ?? this.#event.extensions)[name];
    const context = this.#context;
    return context !== undefined && name in context ? context[name] : this.#event.attribute(name);
  }
}
