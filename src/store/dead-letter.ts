import { createHash } from 'node:crypto';
import { type AttributeValue, MeshEvent, newExtensions } from '../core/event.ts';
import { type DeadLetter, notALetter } from './letter.ts';
import { packDeadLetter, unpackDeadLetter } from './letter-bytes.ts';

export const DEAD_LETTER_TYPE = 'io.fairlead.deadletter.v1';
/** The data's format is documented at {@link packDeadLetter}. */
export const DEAD_LETTER_CONTENT_TYPE = 'application/vnd.fairlead.deadletter';

/**
 * The letter as a CloudEvent for a dead-letter target. `subject` is the id of the event inside; the extension attributes
 * `dlcode dlroute dltarget dlsource dlattempts` are for filtering, and an ordering `partitionkey` is kept.
 */
export function encodeDeadLetter(letter: DeadLetter): MeshEvent {
  const extensions = newExtensions();
  set(extensions, 'dlcode', letter.code);
  set(extensions, 'dlroute', letter.route);
  set(extensions, 'dltarget', letter.target);
  set(extensions, 'dlsource', letter.source);
  set(extensions, 'dlattempts', letter.attempts);
  set(extensions, 'partitionkey', letter.event?.extensions['partitionkey']);
  return new MeshEvent({
    id: letterId(letter),
    source: `/fairlead/${encodeURIComponent(letter.gateway)}`,
    type: DEAD_LETTER_TYPE,
    subject: letter.event?.id,
    time: new Date(letter.at).toISOString(),
    datacontenttype: DEAD_LETTER_CONTENT_TYPE,
    extensions,
    data: packDeadLetter(letter),
  });
}

/** The letter inside a wrapping event. Throws `E_DEAD_LETTER_FORMAT`. */
export function decodeDeadLetter(event: MeshEvent): DeadLetter {
  if (event.type !== DEAD_LETTER_TYPE) throw notALetter(`type "${event.type}"`);
  if (event.data === undefined) throw notALetter('no data');
  return unpackDeadLetter(event.data);
}

/**
 * The same obligation given up again (after a crash, or when a write is tried again) has the same id, so that readers of
 * a dead-letter target can drop repeats: a hash of source, position, the event's identity or the raw bytes, route, target and cause.
 */
function letterId(letter: DeadLetter): string {
  const { event, raw, source, meta, route, target, code } = letter;
  const position = Object.entries(meta.position).sort(([a], [b]) => (a < b ? -1 : 1));
  const identity = [source, position, event?.source, event?.id, route, target, code];
  const hash = createHash('sha256').update(JSON.stringify(identity));
  if (raw !== undefined) hash.update(raw);
  return hash.digest('hex').slice(0, 32);
}

function set(extensions: Record<string, AttributeValue>, name: string, value: AttributeValue | undefined): void {
  if (value !== undefined && value !== '') extensions[name] = value;
}
