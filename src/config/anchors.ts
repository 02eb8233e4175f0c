import { type Alias, type Document, isAlias, type Node, visit } from 'yaml';

/** The node of each alias: the last one above it with that anchor. One pass, where `Alias.resolve` makes one per alias. */
export function anchors(document: Document): ReadonlyMap<Alias, Node> {
  const byName = new Map<string, Node>();
  const byAlias = new Map<Alias, Node>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        const found = byName.get(node.source);
        if (found !== undefined) byAlias.set(node, found);
      } else if (node.anchor !== undefined) byName.set(node.anchor, node);
    },
  });
  return byAlias;
}
