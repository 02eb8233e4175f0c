import type { AttributeValue, MeshEvent } from '../../core/event.ts';
import { attributeText } from '../attribute.ts';
import type { CesqlValue } from './ast.ts';
import type { Evaluator } from './evaluator.ts';
import { Failure } from './failure.ts';

type Context = 'subject' | 'time' | 'datacontenttype' | 'dataschema';

/** Reads an attribute by its lower-case name. `data` is none, so it is missing like any other (§1). */
export function compileAttribute(name: string): Evaluator {
  const missing = new Failure('missingAttribute', `the event has no attribute "${name}"`);
  switch (name) {
    case 'id':
      return (event) => event.id;
    case 'source':
      return (event) => event.source;
    case 'type':
      return (event) => event.type;
    case 'specversion':
      return (event) => event.specversion;
    case 'subject':
    case 'time':
    case 'datacontenttype':
    case 'dataschema':
      return optional(name, missing);
    default:
      return (event) => {
        const value = event.extensions[name];
        return typeof value === 'string' ? value : (represented(value) ?? missing);
      };
  }
}

export function compileExists(name: string): Evaluator {
  const read = compileAttribute(name);
  return (event) => typeof read(event) !== 'object';
}

function optional(name: Context, missing: Failure): Evaluator {
  return (event: MeshEvent) => event[name] ?? missing;
}

/** What is neither a String, an Integer nor a Boolean of CESQL is represented by a String (§3.2). */
function represented(value: AttributeValue | undefined): CesqlValue | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  if (typeof value === 'number' && (value | 0) === value) return value + 0; // -0 + 0 is 0
  return attributeText(value);
}
