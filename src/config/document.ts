import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { anchors } from './anchors.ts';
import type { Finding, Located } from './finding.ts';
import { interpolate, type Origin, type Surroundings } from './interpolate.ts';
import { REDACTED, userinfo } from './redact.ts';
import { didYouMean } from './suggest.ts';
import { syntaxFinding } from './syntax.ts';

/** Bounds of a document, so that a few lines of YAML cannot become gigabytes. */
const MAX_ALIASED_NODES = 10_000;
const MAX_DEPTH = 64;
const MAX_CHARACTERS = 2 ** 20;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

interface Place {
  readonly key: number;
  readonly value: number;
}

/**
 * A YAML text as plain values (maps without a prototype, `null` entries left out but in the data of tests, `${…}` resolved), with the place of
 * every key and value kept.
 */
export class ConfigDocument {
  readonly findings: Finding[] = [];
  /** Undefined where the text is not YAML or is empty. */
  readonly value: unknown;
  readonly #file: string;
  readonly #text: string;
  readonly #lines: LineCounter = new LineCounter();
  readonly #places = new Map<string, Place>();
  readonly #origins = new Map<string, ReadonlySet<Origin>>();
  readonly #broken: string[] = [];
  readonly #private: string[] = [];
  readonly #surroundings: Surroundings;
  readonly #anchors: ReadonlyMap<Alias, Node> = new Map();
  #aliased = 0;
  #insideAlias = 0;

  constructor(text: string, file: string, surroundings: Surroundings) {
    this.#file = file;
    this.#text = text;
    this.#surroundings = surroundings;
    if (text.length > MAX_CHARACTERS) {
      this.#report('E_CONFIG_YAML', `the file has more than ${MAX_CHARACTERS} characters`, 0);
      return;
    }
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      stringKeys: true,
      merge: false,
      uniqueKeys: false, // checked in #convertMap: the parser compares every key with every other
    });
    this.#anchors = anchors(document);
    const broken = syntaxFinding(document, text, (offset) => this.#position(offset));
    if (broken !== undefined) {
      this.findings.push(broken);
      return;
    }
    const root = document.contents as Node | null;
    if (root === null || (isScalar(root) && root.value === null)) {
      this.#report('E_CONFIG_YAML', 'the file is empty', 0, 'run "fairlead init" for a commented start');
      return;
    }
    const value = this.#convert(root, [], 0);
    if (this.#aliased <= MAX_ALIASED_NODES) this.value = value;
  }

  /** A finding at the place of its path: the key, the value, or whatever stands nearest above. */
  finding(located: Located): Finding {
    const { severity, code, at, hint } = located;
    const message = this.#scrub(located.message);
    const position = this.#position(this.#offset(located.path, at));
    return { severity, code, message, ...position, ...(hint === undefined ? {} : { hint }) };
  }

  /** Adapters may quote a value in their message; what a file held and who logs in must not show. */
  #scrub(message: string): string {
    return this.#private.reduce((text, secret) => text.replaceAll(secret, REDACTED), message);
  }

  /** What references a text was made from; undefined where it stood in the file as it is. */
  origins(path: readonly PropertyKey[]): ReadonlySet<Origin> | undefined {
    return this.#origins.get(idOf(path));
  }

  /** True where a reference could not be resolved, so that what follows from it is not worth a word. */
  isBroken(path: readonly PropertyKey[]): boolean {
    return this.#broken.includes(idOf(path));
  }

  has(path: readonly PropertyKey[]): boolean {
    return this.#places.has(idOf(path));
  }

  #offset(path: readonly PropertyKey[], at: 'key' | 'value'): number {
    for (let length = path.length; length >= 0; length -= 1) {
      const place = this.#places.get(idOf(path.slice(0, length)));
      // Above the place that was asked for, the key says more than where its value begins.
      if (place !== undefined) return length === path.length ? place[at] : place.key;
    }
    return 0;
  }

  #position(offset: number): { file: string; line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  #report(code: string, message: string, offset: number, hint?: string): void {
    const position = this.#position(offset);
    // A mistake under an anchor is met again at each of its aliases.
    const { line, column } = position;
    if (this.findings.some((one) => one.line === line && one.column === column && one.code === code)) return;
    this.findings.push({ severity: 'error', code, message, ...position, ...(hint === undefined ? {} : { hint }) });
  }

  #convert(node: Node, path: PropertyKey[], key: number | undefined): unknown {
    const value = node.range?.[0] ?? 0;
    if (!this.#places.has(idOf(path))) this.#places.set(idOf(path), { key: key ?? value, value });
    if (path.length > MAX_DEPTH) {
      this.#report('E_CONFIG_YAML', `nested more than ${MAX_DEPTH} levels deep`, value);
      return undefined;
    }
    if (this.#insideAlias > 0) this.#aliased += 1;
    if (isAlias(node)) return this.#expand(node, path);
    if (isMap(node)) return this.#convertMap(node, path);
    if (isSeq(node)) return node.items.map((item, index) => this.#convert(item as Node, [...path, index], undefined));
    if (!isScalar(node)) return undefined;
    return typeof node.value === 'string'
      ? this.#convertText(node.value, value, node.range?.[1] ?? value, path)
      : node.value;
  }

  #convertMap(node: YAMLMap, path: PropertyKey[]): Record<string, unknown> {
    const map: Record<string, unknown> = Object.create(null);
    const seen = new Map<string, number>();
    for (const pair of node.items) {
      if (!isScalar(pair.key)) continue;
      const name = String(pair.key.value);
      const at = pair.key.range?.[0] ?? 0;
      if (FORBIDDEN.has(name)) {
        this.#report('E_CONFIG_KEY', `"${name}" cannot be a key`, at);
        continue;
      }
      const first = seen.get(name);
      if (first !== undefined) {
        const where = first === this.#position(at).line ? 'on this line' : `on line ${first}`;
        this.#report(
          'E_CONFIG_DUPLICATE_KEY',
          `the key "${name}" stands here a second time; the first is ${where}`,
          at,
        );
        continue;
      }
      seen.set(name, this.#position(at).line);
      const inner = [...path, name];
      const child = pair.value as Node | null;
      if ((child === null || (isScalar(child) && child.value === null)) && !isTestData(inner)) {
        this.#places.set(idOf(inner), { key: at, value: at });
        continue;
      }
      const converted = child === null ? null : this.#convert(child, inner, at);
      if (converted !== undefined) map[name] = converted;
    }
    return map;
  }

  #expand(alias: Alias, path: PropertyKey[]): unknown {
    const offset = alias.range?.[0] ?? 0;
    const node = this.#anchors.get(alias);
    if (node === undefined) {
      this.#report('E_CONFIG_ALIAS', `the alias *${alias.source} refers to no anchor above it`, offset);
      return undefined;
    }
    const [start = 0, , end = 0] = node.range ?? [];
    if (start <= offset && offset < end) {
      this.#report('E_CONFIG_ALIAS', `the alias *${alias.source} contains itself`, offset);
      return undefined;
    }
    if (this.#aliased > MAX_ALIASED_NODES) return undefined;
    this.#insideAlias += 1;
    const value = this.#convert(node, path, undefined);
    this.#insideAlias -= 1;
    if (this.#insideAlias === 0 && this.#aliased > MAX_ALIASED_NODES) {
      this.#report(
        'E_CONFIG_ALIAS',
        `the alias *${alias.source} expands to more than ${MAX_ALIASED_NODES} values`,
        offset,
      );
    }
    return value;
  }

  #convertText(raw: string, start: number, end: number, path: PropertyKey[]): string {
    const plain = raw.includes('${') ? this.#resolve(raw, start, end, path) : raw;
    this.#private.push(...userinfo(plain));
    return plain;
  }

  #resolve(raw: string, start: number, end: number, path: PropertyKey[]): string {
    const { text, origins, mistakes } = interpolate(raw, this.#surroundings);
    for (const { code, message, reference, name } of mistakes) {
      const found = this.#text.slice(start, end).indexOf(reference);
      const hint =
        name === undefined ? 'write "$${" for a literal "${"' : didYouMean(name, Object.keys(this.#surroundings.env));
      this.#report(
        code,
        message,
        start + Math.max(0, found),
        code === 'E_CONFIG_FILE' ? undefined : (hint ?? `set it or write \${${name}:-default}`),
      );
    }
    if (mistakes.length > 0) this.#broken.push(idOf(path));
    if (origins.size > 0) this.#origins.set(idOf(path), origins);
    if (origins.has('file') && text.length >= 4) this.#private.push(text);
    return text;
  }
}

/** The data of an event in `tests`, where null is a value like others. */
function isTestData(path: readonly PropertyKey[]): boolean {
  return path[0] === 'tests' && path.indexOf('data', 3) >= 3;
}

function idOf(path: readonly PropertyKey[]): string {
  return JSON.stringify(path);
}
