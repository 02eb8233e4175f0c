import { FairleadError } from './errors.ts';
import type { MeshEvent } from './event.ts';

/**
 * One step of a route's `transform`, as it stands in the configuration. Templates see the event as the step found it;
 * then `rename`, `remove`, `set` (attributes), `data` and `split` are carried out in this order.
 */
export interface TransformStep {
  /** Attributes by name: text is a template, numbers and booleans are extension values of their own type. */
  readonly set?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** New names by old name; what is absent is passed over. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
  readonly data?: DataStep | undefined;
  /** `data`, or `data.` and the path of an array: each element becomes an event. */
  readonly split?: string | undefined;
}

/** What a step does to JSON data: fields by path, or all of it by an expression. */
export interface DataStep {
  /** Values by path; texts in them are templates, and one that is a single slot copies the value with its JSON type. */
  readonly set?: Readonly<Record<string, unknown>> | undefined;
  readonly rename?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
  /** A JSONata expression over the data; `$event` holds the attributes. */
  readonly jsonata?: string | undefined;
  /** Bound of one evaluation of `jsonata`. */
  readonly timeoutMs?: number | undefined;
  /** Bound of the result of `jsonata` as JSON. */
  readonly maxBytes?: number | undefined;
}

/** Why a transform has no result: the leg is dead-lettered with the event as it came. The message holds no data. */
export class TransformFailure {
  readonly code: string;
  readonly message: string;

  constructor(code: string, message: string) {
    this.code = code;
    this.message = message;
  }

  /** The failure that a thrown error means. The message of one that is not coded may quote data, so it is not told. */
  static of(error: unknown): TransformFailure {
    if (error instanceof FairleadError) return new TransformFailure(error.code, error.message);
    const what = error instanceof Error ? error.name : 'something unknown';
    return new TransformFailure('E_TRANSFORM_CONTRACT', `the transform threw ${what}`);
  }
}

/** What is sent instead of an event: one event, several after a split, none where the array was empty. */
export type Transformed = readonly MeshEvent[] | TransformFailure;

/** A compiled `transform` of a route. Pure: the same event gives the same result, unless an expression asks for time or chance. */
export type Transform = InlineTransform | StagedTransform;

/** One event in, one out, at once. An event that nothing was done to comes back as the same object. */
export interface InlineTransform {
  readonly kind: 'inline';
  apply(event: MeshEvent): MeshEvent | TransformFailure;
}

/** Runs in batches beside the pipeline: it waits for a worker, or makes many events of one. */
export interface StagedTransform {
  readonly kind: 'staged';
  /** Events that should stand in one call. */
  readonly maxEvents: number;
  /** Resolves (never rejects) with one result per event, by index; never after what it runs on was closed. */
  apply(events: readonly MeshEvent[]): Promise<readonly Transformed[]>;
}
