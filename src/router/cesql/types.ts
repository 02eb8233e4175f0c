import type { Node, Type } from './ast.ts';
import { typeOfValue } from './casts.ts';
import { functionOf } from './functions.ts';

/** The type of what a node gives, or undefined where only the event tells (attributes, unknown functions). */
export function staticType(node: Node): Type | undefined {
  switch (node.kind) {
    case 'literal':
      return typeOfValue(node.value);
    case 'attribute':
      return undefined;
    case 'group':
      return staticType(node.inner);
    case 'negate':
    case 'arithmetic':
      return 'integer';
    case 'call':
      return functionOf(node.name, node.args.length)?.returns;
    default:
      return 'boolean';
  }
}
