import type { MeshEvent } from './event.ts';

/** Why an event's data was refused. The message names places and rules, never values of the data. */
export interface Refusal {
  /** The dead letter's cause. */
  readonly code: string;
  readonly message: string;
}

/** Looks at the data of a route's events before their legs are planned. */
export interface Validator {
  /**
   * Undefined: the data is as it should be. A refusal: the legs are dead-lettered with it. A promise: it cannot be said yet
   * (a schema is being fetched); it resolves when asking again is of use,
   * perhaps never, and does not reject. Never throws.
   */
  check(event: MeshEvent): Refusal | Promise<void> | undefined;
}
