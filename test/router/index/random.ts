import { type AttributeValue, MeshEvent, newExtensions } from '../../../src/core/event.ts';
import type { Filter, Pattern } from '../../../src/core/routing.ts';
import type { MatchedRoute } from '../../../src/router/linear-matcher.ts';

/** Random numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ATTRIBUTES = ['type', 'source', 'subject', 'region', 'level', 'flag', 'specversion', 'data1', 'bytes'] as const;
// Few texts that share beginnings, ends and middles, that are numbers or Booleans as text, and that fold into each other.
const TEXTS = [
  ...[
    'com.acme.reading',
    'com.acme.alarm',
    'com.acme',
    'org.acme.reading',
    'acme',
    '/plant/7',
    '/plant/77',
    '/plant/8',
  ],
  ...['eu-west-1', 'EU-WEST-1', 'us', '', '5', '05', '+5', '-3', '7.5', '1e1', 'true', 'TRUE', 'false', '1.0', 'AAEC'],
  ...['straße', 'STRASSE', '😀', 'x😀y', 'aaaaaaaaab', 'aaaaaaaaaaab', '10.1.2.3', 'null'],
];
const PATHS = [
  ['a'],
  ['b'],
  ['a', 'b'],
  ['list', 'a'],
  ['list', 'b'],
  ['deep', 'a', 'b'],
  ['constructor'],
  ['__proto__'],
];

/** Random routes and events over few names and values, so that many of them match. */
export class Randomness {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
  }

  below(n: number): number {
    return Math.floor(this.#next() * n);
  }

  chance(p: number): boolean {
    return this.#next() < p;
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }

  some<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make);
  }

  routes(): MatchedRoute[] {
    // A part of the sets is crowded with routes that are alike, which is where indexes within indexes come about.
    const crowded = this.chance(0.1);
    const many = this.some(1, this.chance(0.1) ? 80 : 12, () => this.route());
    if (!crowded) return many;
    const alike = this.filter(0);
    return [...many, ...this.some(24, 60, () => ({ ...this.route(), filters: [alike, this.filter(1)] }))];
  }

  route(): MatchedRoute {
    return {
      from: this.one([[0], [0], [0, 1], [1], [0, 0]]),
      filters: this.chance(0.3) ? [] : this.some(1, 2, () => this.filter(2)),
      ...(this.chance(0.5) ? { pattern: this.pattern() } : {}),
      continue: !this.chance(0.05),
      disabled: this.chance(0.03),
      ...(this.chance(0.05) ? { only: (event: MeshEvent) => event.id.length % 2 === 0 } : {}),
    };
  }

  filter(depth: number): Filter {
    const filter: { -readonly [K in keyof Filter]: Filter[K] } = {};
    const inner = (): Filter => this.filter(depth - 1);
    if (this.chance(0.4)) filter.exact = this.#operands((text) => text);
    if (this.chance(0.25)) filter.prefix = this.#operands((text) => text.slice(0, this.below(text.length + 1)));
    if (this.chance(0.25)) filter.suffix = this.#operands((text) => text.slice(this.below(text.length + 1)));
    if (this.chance(0.3)) filter.sql = this.expression();
    if (depth === 0) return filter;
    if (this.chance(0.1)) filter.all = this.some(0, 2, inner);
    if (this.chance(0.15)) filter.any = this.some(0, 3, inner);
    if (this.chance(0.1)) filter.not = inner();
    return filter;
  }

  expression(): string {
    const operator = this.one([' AND ', ' AND ', ' OR ', ' XOR ']);
    return this.some(1, 3, () => this.#comparison()).join(operator);
  }

  #comparison(): string {
    const name = this.one(ATTRIBUTES);
    const text = quoted(this.one(TEXTS));
    const whole = this.one(['5', '-3', '0', '1', '10']);
    switch (this.below(9)) {
      case 0:
        return `${text} = ${name}`;
      case 1:
        return `${name} IN (${this.some(1, 3, () => this.one([quoted(this.one(TEXTS)), whole, 'TRUE'])).join(', ')})`;
      case 2:
        return `${name} LIKE ${quoted(this.#holey('%', '_'))}`;
      case 3:
        return `${name} ${this.one(['<', '<=', '>', '>=', '='])} ${whole}`;
      case 4:
        return `${whole} ${this.one(['<', '<=', '>', '>=', '='])} ${name}`;
      case 5:
        return this.one([`EXISTS ${name}`, `NOT EXISTS ${name}`, `${name} != ${text}`, `NOT (${name} = ${text})`]);
      case 6:
        return this.one([
          `LENGTH(${name}) > 3`,
          `(${name} = TRUE)`,
          `UPPER(${name}) = ${text}`,
          `(${name} = ${text} OR level > 2)`,
        ]);
      default:
        return `${name} = ${text}`;
    }
  }

  pattern(): Pattern {
    const pattern: Record<string, Pattern | readonly unknown[]> = {};
    if (this.chance(0.4)) pattern[this.one(ATTRIBUTES)] = this.some(1, 3, () => this.#test(true));
    if (this.chance(0.8) || Object.keys(pattern).length === 0) pattern['data'] = this.#body(1);
    return pattern;
  }

  #body(depth: number): Pattern {
    const root = Object.create(null) as Record<string, Pattern | readonly unknown[]>;
    for (const path of this.some(1, 3, () => this.one(PATHS))) {
      let at = root;
      for (const name of path.slice(0, -1)) {
        if (at[name] === undefined || Array.isArray(at[name])) at[name] = Object.create(null) as Pattern;
        at = at[name] as Record<string, Pattern>;
      }
      at[path.at(-1) as string] = this.some(1, 3, () => this.#test(false));
    }
    if (depth > 0 && this.chance(0.2)) root['$or'] = this.some(2, 3, () => this.#body(0)) as readonly unknown[];
    return root as Pattern;
  }

  #test(onAttribute: boolean): unknown {
    const text = this.one(TEXTS);
    switch (this.below(12)) {
      case 0:
        return { prefix: this.#part(text) };
      case 1:
        return { suffix: this.#part(text) };
      case 2:
        return { 'equals-ignore-case': text };
      case 3:
        return { wildcard: this.#holey('*', '*').replace(/\*+/g, '*') };
      case 4:
        return {
          numeric: this.one([
            ['>', 4],
            ['<=', 5],
            ['=', 5],
            ['>', -4, '<', 5],
            ['>=', 7.5, '<=', 10],
          ]),
        };
      case 5:
        return { exists: this.chance(0.7) };
      case 6:
        return { 'anything-but': this.one([text, [text, 'us'], { prefix: 'com' }]) };
      case 7:
        return onAttribute ? text : this.one([5, -3, 7.5, true, false, null]);
      case 8:
        return this.chance(0.5) ? { cidr: '10.1.0.0/16' } : text;
      default:
        return text;
    }
  }

  #part(text: string): string {
    return text === '' ? 'x' : this.one([text, text.slice(0, 1 + this.below(text.length)), text.slice(-3)]);
  }

  #holey(many: string, one: string): string {
    const text = [...this.one(TEXTS)];
    const at = this.below(text.length + 1);
    return (
      [...text.slice(0, at), this.one([many, one]), ...text.slice(at + this.below(3))].join('') +
      this.one(['', '', many])
    );
  }

  #operands(cut: (text: string) => string): Record<string, string> {
    return Object.fromEntries(this.some(1, 2, () => [this.one(ATTRIBUTES), cut(this.one(TEXTS))]));
  }

  event(): MeshEvent {
    const extensions = newExtensions();
    const values: readonly (() => AttributeValue)[] = [
      () => this.one(TEXTS),
      () => this.below(12) - 4,
      () => this.chance(0.5),
      () => Buffer.from([0, 1, 2]),
    ];
    for (const name of ATTRIBUTES.slice(3)) {
      if (name !== 'specversion' && this.chance(0.6)) extensions[name] = this.one(values)();
    }
    return new MeshEvent({
      id: `id-${this.below(100)}`,
      source: this.one(TEXTS),
      type: this.one(TEXTS),
      subject: this.chance(0.5) ? this.one(TEXTS) : undefined,
      datacontenttype: this.one([undefined, 'application/json', 'application/json', 'text/plain']),
      extensions,
      data: this.#data(),
    });
  }

  #data(): Buffer | undefined {
    if (this.chance(0.1)) return undefined;
    if (this.chance(0.05)) return Buffer.from(this.one(['', '{', '{"a":"us"', 'us', '{"a":"us","a":5}', '"us"', '[]']));
    return Buffer.from(JSON.stringify(this.#value(3)));
  }

  #value(depth: number): unknown {
    if (depth === 0 || this.chance(0.1)) return this.one<unknown>([...TEXTS, 5, -3, 7.5, 10, true, false, null]);
    if (this.chance(0.15)) return this.some(0, 3, () => this.#value(depth - 1));
    const names = this.some(1, 4, () => this.one(['a', 'b', 'list', 'deep', 'constructor', '__proto__']));
    return JSON.parse(`{${names.map((name) => `"${name}":${JSON.stringify(this.#value(depth - 1))}`).join(',')}}`);
  }
}

function quoted(text: string): string {
  return `'${text}'`;
}
