/** A name on the way to fields that are wanted. */
export class FieldNode {
  readonly name: string;
  /** Number of the field that ends here, or -1. */
  slot: number = -1;
  /** The map that this node was last seen in, to tell a name that stands twice in one. */
  seenIn: number = 0;
  readonly #bytes: Buffer;
  readonly #children = new Map<string, FieldNode>();
  /** Children by a hash of length, first and last byte of their names. */
  #buckets: (FieldNode[] | undefined)[] = [];
  #mask = 0;

  constructor(name: string) {
    this.name = name;
    this.#bytes = Buffer.from(name, 'utf8');
  }

  /** Whether fields below it are wanted. */
  get isInner(): boolean {
    return this.#mask > 0;
  }

  /** The child of that name, made where it is missing. */
  open(name: string): FieldNode {
    let child = this.#children.get(name);
    if (child === undefined) {
      child = new FieldNode(name);
      this.#children.set(name, child);
      if (this.#children.size * 2 > this.#mask) this.#rehash();
      else this.#insert(child);
    }
    return child;
  }

  children(): Iterable<FieldNode> {
    return this.#children.values();
  }

  /** The child of that name. */
  named(name: string): FieldNode | undefined {
    return this.#children.get(name);
  }

  /** The child whose name in UTF-8 stands at `[from, to)`. */
  find(bytes: Buffer, from: number, to: number): FieldNode | undefined {
    const length = to - from;
    const hash = length === 0 ? 0 : length * 31 + (bytes[from] as number) * 7 + (bytes[to - 1] as number);
    const bucket = this.#buckets[hash & this.#mask];
    if (bucket === undefined) return undefined;
    for (const child of bucket) if (child.#is(bytes, from, length)) return child;
    return undefined;
  }

  #is(bytes: Buffer, from: number, length: number): boolean {
    const own = this.#bytes;
    if (own.length !== length) return false;
    for (let at = 0; at < length; at += 1) if (own[at] !== bytes[from + at]) return false;
    return true;
  }

  #rehash(): void {
    let size = 8;
    while (size < this.#children.size * 4) size *= 2;
    this.#mask = size - 1;
    this.#buckets = new Array<FieldNode[] | undefined>(size).fill(undefined);
    for (const child of this.#children.values()) this.#insert(child);
  }

  #insert(child: FieldNode): void {
    const { name } = child;
    const bytes = child.#bytes;
    if (bytes.toString('utf8') !== name) return; // a lone surrogate has no UTF-8: only an escape can spell it
    const { length } = bytes;
    const hash = length === 0 ? 0 : length * 31 + (bytes[0] as number) * 7 + (bytes[length - 1] as number);
    const at = hash & this.#mask;
    this.#buckets[at] ??= [];
    this.#buckets[at].push(child);
  }
}
