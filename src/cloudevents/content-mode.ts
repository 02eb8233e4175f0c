import type { MeshEvent } from '../core/event.ts';

/**
 * The content mode a target writes an event in: the configured one, else the mode it came in. An unchanged structured
 * event still has its verbatim bytes, so it goes on as it is instead of being taken apart into headers.
 */
export function writtenMode(
  event: MeshEvent,
  encoding: 'binary' | 'structured' | 'raw' | undefined,
): 'binary' | 'structured' | 'raw' {
  return encoding ?? (event.structured === undefined ? 'binary' : 'structured');
}
