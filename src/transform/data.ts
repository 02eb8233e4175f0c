import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import { isJson } from '../core/media-type.ts';
import { compileTemplate } from '../core/template.ts';
import type { DataStep } from '../core/transform.ts';
import { JsonNode } from './json-tree.ts';
import { type FieldPath, parsePath } from './path.ts';
import { type EventView, isDataName } from './view.ts';

/** Changes fields of JSON data; `before` shows the event as the step found it. */
export type DataEdit = (event: MeshEvent, before: EventView) => MeshEvent;

/** The JSON of a value that stands in the configuration, with its templates filled in. */
type ValueMaker = (before: EventView) => string;

/** Compiles `rename`, `remove` and `set` of a data step. Throws `E_TEMPLATE`, `E_TRANSFORM_PATH`. */
export function compileData(step: DataStep): DataEdit {
  const renames = Object.entries(step.rename ?? {}).map(([from, to]) => [parsePath(from), parsePath(to)] as const);
  const removed = (step.remove ?? []).map(parsePath);
  const settings = Object.entries(step.set ?? {}).map(([path, value]) => [parsePath(path), maker(value)] as const);
  return (event, before) => {
    if (event.data === undefined) {
      if (settings.length === 0) return event;
      throw new FairleadError({ code: 'E_TRANSFORM_DATA', message: 'the event has no data to set fields of' });
    }
    const tree = JsonNode.parse(event.data);
    let changed = move(tree, renames);
    for (const path of removed) changed = tree.drop(path) || changed;
    for (const [path, value] of settings) tree.put(path, JsonNode.of(value(before)));
    return changed || settings.length > 0 ? withJson(event, tree.toBuffer()) : event;
  };
}

/** The event with JSON as its data; its media type is kept where it says so already. */
export function withJson(event: MeshEvent, data: Buffer): MeshEvent {
  const { datacontenttype } = event;
  return event.with(isJson(datacontenttype) ? { data } : { data, datacontenttype: 'application/json' });
}

/** All values are taken before any is put back, so that two fields can change places. */
function move(tree: JsonNode, renames: readonly (readonly [FieldPath, FieldPath])[]): boolean {
  const found = renames.map(([from]) => tree.find(from));
  renames.forEach(([from], index) => {
    if (found[index] !== undefined) tree.drop(from);
  });
  renames.forEach(([, to], index) => {
    const value = found[index];
    if (value !== undefined) tree.put(to, value);
  });
  return found.some((value) => value !== undefined);
}

function maker(value: unknown): ValueMaker {
  if (typeof value === 'string') return textMaker(value);
  if (Array.isArray(value)) {
    const items = value.map(maker);
    return (before) => `[${items.map((item) => item(before)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, inner]) => [JSON.stringify(name), maker(inner)] as const);
    return (before) => `{${members.map(([name, inner]) => `${name}:${inner(before)}`).join(',')}}`;
  }
  const json = JSON.stringify(value ?? null);
  return () => json;
}

function textMaker(text: string): ValueMaker {
  const template = compileTemplate(text);
  const { only } = template;
  if (only === undefined || !isDataName(only)) return (before) => JSON.stringify(before.render(template));
  return (before) => before.node(only)?.toBuffer().toString('utf8') ?? JSON.stringify(before.render(template));
}
