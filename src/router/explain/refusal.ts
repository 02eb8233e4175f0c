/** What kept an event from a route. */
export type RefusalCode =
  | 'disabled'
  | 'other-source'
  | 'ended'
  | 'missing'
  | 'differs'
  | 'passes'
  | 'none-passes'
  | 'false'
  | 'not-boolean'
  | 'error'
  | 'not-json'
  | 'no-element'
  | 'before-window'
  | 'after-window'
  | 'not-sampled';

/** The first condition of a route that did not hold. */
export interface Refusal {
  readonly code: RefusalCode;
  /** Where the condition stands in the route, e.g. `when.filters[0].exact.type`. */
  readonly at: string;
  /** A sentence without its subject: `is "a", not "b"`. */
  readonly message: string;
  readonly expected?: string;
  /** What the event has there, cut to {@link SHOWN} characters. */
  readonly actual?: string;
  /** Of `any` and `not`: what lies beneath, at most {@link BRANCHES}. */
  readonly because?: readonly Refusal[];
}

/** Longest value shown, in characters. */
const SHOWN = 80;
/** Most branches of an `any` told of. */
export const BRANCHES = 8;

/** A value as text of bounded length. */
export function shown(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters)`;
}

export function quoted(text: string): string {
  return JSON.stringify(shown(text));
}
