import { type AttributeValue, MeshEvent } from '../../core/event.ts';
import type { Pattern } from '../../core/routing.ts';
import { patternPredicate } from './compile.ts';
import { parsePattern } from './parse.ts';
import type { Subject } from './subject.ts';

/**
 * A CloudEvent as a plain object: attributes and extensions as its own properties. `data` is a Buffer with JSON in it, or
 * the JSON value itself (a tree); `data_base64` is read where there is no `data`.
 */
export type PlainEvent = object;

/** A pattern that is ready to be used. */
export interface CompiledPattern {
  /** Whether an event matches. Throws nothing. */
  test(event: MeshEvent | PlainEvent): boolean;
}

/** Compiles a pattern (docs/guide/patterns.md). Throws PatternError, whose `path` says where in the pattern it is wrong. */
export function compilePattern(pattern: Pattern): CompiledPattern {
  const matches = patternPredicate(parsePattern(pattern));
  return { test: (event) => matches(event instanceof MeshEvent ? event : new PlainSubject(event)) };
}

class PlainSubject implements Subject {
  readonly #event: Readonly<Record<string, unknown>>;
  readonly data: Buffer | undefined;
  #json: unknown;
  #parsed = false;

  constructor(event: PlainEvent) {
    this.#event = event as Readonly<Record<string, unknown>>;
    this.data = bytesOf(this.#own('data'), this.#own('data_base64'));
  }

  get datacontenttype(): string | undefined {
    const type = this.#own('datacontenttype');
    return typeof type === 'string' ? type : undefined;
  }

  attribute(name: string): AttributeValue | undefined {
    const value = this.#own(name);
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'boolean':
        return value;
      default:
        return value instanceof Uint8Array ? Buffer.from(value) : undefined;
    }
  }

  json(): unknown {
    if (this.data === undefined) return this.#own('data');
    if (!this.#parsed) {
      this.#json = new MeshEvent({ id: '-', source: '-', type: '-', data: this.data }).json();
      this.#parsed = true;
    }
    return this.#json;
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#event, name) ? this.#event[name] : undefined;
  }
}

function bytesOf(data: unknown, base64: unknown): Buffer | undefined {
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return (data ?? undefined) === undefined && typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
}
