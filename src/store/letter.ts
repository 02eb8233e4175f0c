import type { DeadLetterInit } from '../core/dead-letter.ts';
import { FairleadError } from '../core/errors.ts';

/** A dead letter with who gave it up, when, and under which configuration. */
export interface DeadLetter extends DeadLetterInit {
  /** Wall-clock milliseconds at which it was given up: for people, it orders nothing. */
  readonly at: number;
  /** Name of the gateway. */
  readonly gateway: string;
  /** Revision of the configuration that decided. */
  readonly revision: string;
}

/** `E_DEAD_LETTER_FORMAT`: bytes or an event that are no dead letter, or not a whole one. */
export function notALetter(what: string): FairleadError {
  return new FairleadError({ code: 'E_DEAD_LETTER_FORMAT', message: `not a dead letter: ${what}` });
}
