import { essenceOf } from '../core/media-type.ts';

/** Content-Type of an event in the JSON format (CloudEvents JSON format 1.0.2 §3). */
export const STRUCTURED_JSON = 'application/cloudevents+json; charset=UTF-8';
/** Content-Type of a JSON array of events (CloudEvents JSON format 1.0.2 §4). */
export const BATCH_JSON = 'application/cloudevents-batch+json; charset=UTF-8';

const EVENT = 'application/cloudevents';
const BATCH = 'application/cloudevents-batch';

export type ContentMode = 'structured' | 'batch' | 'unsupported' | 'binary';

/**
 * What a Content-Type says about the content mode. `unsupported`: a CloudEvents media type of a format or charset other
 * than JSON in UTF-8. Everything that is not a CloudEvents media type is `binary`.
 */
export function contentMode(contentType: string | undefined): ContentMode {
  if (contentType === undefined || contentType.length < EVENT.length) return 'binary';
  const first = contentType.charCodeAt(0) | 0x20;
  if (first !== 0x61 && first !== 0x20) return 'binary';
  const essence = essenceOf(contentType);
  if (!essence.startsWith(EVENT)) return 'binary';
  const mode = essence.startsWith(BATCH) ? 'batch' : 'structured';
  const format = essence.slice(mode === 'batch' ? BATCH.length : EVENT.length);
  if (format !== '' && format[0] !== '+') return 'binary'; // another word that begins alike
  if (format !== '' && format !== '+json') return 'unsupported';
  return isUtf8Charset(contentType) ? mode : 'unsupported';
}

/** Whether the media type is text in UTF-8 (or its subset US-ASCII, or without a charset). */
export function isUtf8Text(contentType: string | undefined): boolean {
  return contentType !== undefined && essenceOf(contentType).startsWith('text/') && isUtf8Charset(contentType);
}

function isUtf8Charset(contentType: string): boolean {
  if (!contentType.includes(';')) return true;
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(contentType)?.[1]?.toLowerCase();
  return charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}
