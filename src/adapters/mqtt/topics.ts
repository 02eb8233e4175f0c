import { isText } from '../../cloudevents/values.ts';

/** UTF-8 bytes of a topic name or filter (MQTT 5 §1.5.4). */
const MAX_TOPIC_BYTES = 65_535;

/** What is wrong with a topic filter of a subscription (MQTT 5 §4.7), or undefined. */
export function filterMistake(filter: string): string | undefined {
  const mistake = textMistake(filter);
  if (mistake !== undefined) return mistake;
  const levels = filter.split('/');
  for (const [index, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || index !== levels.length - 1)) {
      return '"#" must be the last level, alone';
    }
    if (level.includes('+') && level !== '+') return '"+" must be a level of its own';
  }
  return undefined;
}

/**
 * What is wrong with a topic to publish to, or undefined. A broker closes the connection for a wildcard or a control
 * character in it, for everything else in flight on it too (MQTT 5 §3.3.2.1, [MQTT-1.5.4-2]), so nothing of the kind is ever sent.
 */
export function topicMistake(topic: string): string | undefined {
  if (topic.includes('#') || topic.includes('+')) return 'has a wildcard ("#" or "+")';
  if (topic.startsWith('$')) return 'begins with "$", which belongs to the broker';
  return textMistake(topic);
}

function textMistake(topic: string): string | undefined {
  if (topic === '') return 'is empty';
  if (!isText(topic)) return 'has control characters or lone surrogates';
  // a UTF-16 unit takes at most three bytes
  if (topic.length * 3 > MAX_TOPIC_BYTES && Buffer.byteLength(topic) > MAX_TOPIC_BYTES) {
    return `is longer than ${MAX_TOPIC_BYTES} bytes`;
  }
  return undefined;
}

/** `$share/<group>/<filter>` (MQTT 5 §4.8.2), or the filter itself. */
export function sharedFilter(group: string | undefined, filter: string): string {
  return group === undefined ? filter : `$share/${group}/${filter}`;
}
