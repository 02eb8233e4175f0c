import type { MeshEvent } from '../core/event.ts';
import { isJson } from '../core/media-type.ts';
import type { Refusal, Validator } from '../core/validation.ts';
import type { CompiledSchema, SchemaDocument } from './compile.ts';
import { invalid } from './reason.ts';
import type { Lookup, SchemaStore } from './store.ts';

/** Bounds of what is remembered of `dataschema` values. */
const MAX_ADDRESSES = 1_000;
const MAX_LENGTH = 1_024;

/** Holds events against one schema: a route's own. Loads it with the first event, or when told to. */
export class FixedValidator implements Validator {
  readonly #load: () => Lookup;
  readonly #closing = new AbortController();
  #lookup: Lookup | undefined;

  /** The schema out of files, or from an allowed address where `documents` is empty. */
  constructor(
    store: SchemaStore,
    schema: { readonly location: string; readonly documents: readonly SchemaDocument[] },
  ) {
    this.#load = () =>
      store.load(schema, this.#closing.signal, (found) => {
        this.#lookup = found;
      });
  }

  load(): Promise<void> | undefined {
    this.#lookup ??= this.#load();
    return this.#lookup.state === 'loading' ? this.#lookup.settled : undefined;
  }

  /** Stops asking for it; what waits for it waits on. */
  close(): void {
    this.#closing.abort();
  }

  check(event: MeshEvent): Refusal | Promise<void> | undefined {
    const waiting = this.load();
    if (waiting !== undefined) return waiting;
    const lookup = this.#lookup as Lookup;
    return lookup.state === 'ready' ? checkData(event, lookup.schema) : undefined;
  }
}

/** Holds each event against the schema that its own `dataschema` names. */
export class DataschemaValidator implements Validator {
  readonly #store: SchemaStore;
  readonly #unknown: 'accept' | 'reject';
  /** Address by `dataschema`, null where it is not allowed. */
  readonly #addresses = new Map<string, string | null>();

  constructor(store: SchemaStore, unknown: 'accept' | 'reject') {
    this.#store = store;
    this.#unknown = unknown;
  }

  check(event: MeshEvent): Refusal | Promise<void> | undefined {
    const { dataschema, datacontenttype } = event;
    if (dataschema === undefined) return this.#unknownSchema('the event has no dataschema');
    if (datacontenttype !== undefined && !isJson(datacontenttype)) {
      return this.#unknownSchema('the data is not JSON by its datacontenttype');
    }
    const address = this.#address(dataschema);
    if (address === null) return this.#unknownSchema('its dataschema is not allowed by schemas.allow');
    const lookup = this.#store.lookup(address);
    switch (lookup.state) {
      case 'ready':
        return checkData(event, lookup.schema);
      case 'loading':
        return lookup.settled;
      case 'absent':
        return this.#unknownSchema('its dataschema does not exist');
      case 'unusable':
        return { code: lookup.error.code, message: lookup.error.message };
    }
  }

  #unknownSchema(why: string): Refusal | undefined {
    return this.#unknown === 'accept' ? undefined : { code: 'E_SCHEMA_UNKNOWN', message: why };
  }

  #address(dataschema: string): string | null {
    const known = this.#addresses.get(dataschema);
    if (known !== undefined) return known;
    const address = dataschema.replace(/#$/, '').includes('#')
      ? null
      : (this.#store.allowance.address(dataschema) ?? null);
    if (dataschema.length <= MAX_LENGTH) {
      if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.clear();
      this.#addresses.set(dataschema, address);
    }
    return address;
  }
}

function checkData(event: MeshEvent, schema: CompiledSchema): Refusal | undefined {
  const data = event.json();
  if (data !== undefined) return schema.check(data);
  return invalid(event.data === undefined ? 'the event has no data' : 'the data is not JSON');
}
