/** Most buckets, less one, for which a cheap hash is enough. */
const SMALL = 63;

/** A name on the way to fields that are wanted. */
export class FieldNode {
  readonly name: string;
  /** Number of the field that ends here, or -1. */
  slot: number = -1;
  /** The map that this node was last seen in, to tell a name that stands twice in one. */
  seenIn: number = 0;
  readonly #bytes: Buffer;
  readonly #children = new Map<string, FieldNode>();
  /** Children by the hash of their names. */
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
    const bucket = this.#buckets[this.#hash(bytes, from, to) & this.#mask];
    if (bucket === undefined) return undefined;
    for (const child of bucket) if (child.#is(bytes, from, to - from)) return child;
    return undefined;
  }

  /** Of few names length, first and last byte tell enough; of many, names made by counting would be alike in these. */
  #hash(bytes: Buffer, from: number, to: number): number {
    const length = to - from;
    if (length === 0) return 0;
    if (this.#mask <= SMALL) return length * 31 + (bytes[from] as number) * 7 + (bytes[to - 1] as number);
    let hash = length;
    for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
    return hash ^ (hash >>> 15);
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
    const at = this.#hash(bytes, 0, bytes.length) & this.#mask;
    this.#buckets[at] ??= [];
    this.#buckets[at].push(child);
  }
}
