import { FairleadError } from '../../core/errors.ts';

/** The topic holds as much as it may; the lane waits until a source has taken some. */
export function topicFull(topic: string, maxEvents: number): FairleadError {
  return new FairleadError({
    code: 'E_MEMORY_FULL',
    message: `memory topic "${topic}" holds ${maxEvents} events`,
    unavailable: true,
  });
}

/** The target was closed. */
export function closed(topic: string): FairleadError {
  return new FairleadError({
    code: 'E_MEMORY_CLOSED',
    message: `the target on memory topic "${topic}" is closed`,
    unavailable: true,
  });
}
