import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import { withJson } from './data.ts';
import { JsonNode } from './json-tree.ts';
import { parseDataPath } from './path.ts';

/** Most events that one event may be split into. */
export const MAX_PARTS = 10_000;

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
    if (items.length > MAX_PARTS) {
      const message = `"${text}" has ${items.length} elements, more than ${MAX_PARTS}`;
      throw new FairleadError({ code: 'E_TRANSFORM_LIMIT', message });
    }
    return items.map((item, n) => withJson(event, item.toBuffer()).with({ id: `${event.id}#${n}` }));
  };
}

function wrong(message: string): FairleadError {
  return new FairleadError({ code: 'E_TRANSFORM_DATA', message });
}
