import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import { withJson } from './data.ts';
import { JsonNode } from './json-tree.ts';
import { parseDataPath } from './path.ts';

/** Most events that one event may be split into. */
const MAX_PARTS = 10_000;

/**
 * Compiles a `split`: each element of the array becomes the data of an event of its own, byte for byte, with the id
 * `{id}#{n}`, n counted from 0; the other attributes are those of the event. Throws `E_TRANSFORM_PATH`.
 */
export function compileSplit(text: string): (event: MeshEvent) => readonly MeshEvent[] {
  const path = parseDataPath(text);
  return (event) => {
    if (event.data === undefined) throw wrong('the event has no data to split');
    const array = JsonNode.parse(event.data).find(path);
    if (array?.isArray !== true) throw wrong(`"${text}" is not an array`);
    const { items } = array;
    if (items.length > MAX_PARTS) throw tooMany();
    return items.map((item, n) => withJson(event, item.toBuffer()).with({ id: `${event.id}#${n}` }));
  };
}

/** Splits what an earlier split has made; the bound is on all of it. */
export function splitAll(
  events: readonly MeshEvent[],
  split: (event: MeshEvent) => readonly MeshEvent[],
): readonly MeshEvent[] {
  const parts: MeshEvent[] = [];
  for (const event of events) {
    for (const part of split(event)) parts.push(part);
    if (parts.length > MAX_PARTS) throw tooMany();
  }
  return parts;
}

function tooMany(): FairleadError {
  return new FairleadError({ code: 'E_TRANSFORM_LIMIT', message: `the event has more than ${MAX_PARTS} parts` });
}

function wrong(message: string): FairleadError {
  return new FairleadError({ code: 'E_TRANSFORM_DATA', message });
}
