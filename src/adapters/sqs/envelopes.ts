import { buildEvent } from '../../cloudevents/attributes.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import { type AttributeValue, type MeshEvent, newExtensions } from '../../core/event.ts';
import { memberText } from './text.ts';

type Members = Readonly<Record<string, unknown>>;

/** The members of a JSON object, or undefined where the text is anything else. */
export function parseObject(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
  } catch {
    return undefined; // not JSON: the caller wraps it as text
  }
}

/** What SNS delivers to a queue without raw delivery. */
export interface Notification {
  readonly message: string;
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  readonly timestamp: string | undefined;
  readonly headers: NativeHeaders | undefined;
}

/** The SNS envelope that `body` is, or undefined. (SNS Developer Guide, "HTTP/HTTPS notification JSON format".) */
export function readNotification(body: Members): Notification | undefined {
  const { Type, TopicArn, MessageId, Message, Subject, Timestamp } = body as Record<string, unknown>;
  if (Type !== 'Notification' || !isText(TopicArn) || !isText(MessageId) || typeof Message !== 'string')
    return undefined;
  return {
    message: Message,
    messageId: MessageId,
    topicArn: TopicArn,
    subject: isText(Subject) ? Subject : undefined,
    timestamp: isText(Timestamp) ? Timestamp : undefined,
    headers: notificationHeaders(body['MessageAttributes']),
  };
}

function notificationHeaders(attributes: unknown): NativeHeaders | undefined {
  if (typeof attributes !== 'object' || attributes === null) return undefined;
  const headers: Record<string, string | Buffer> = Object.create(null);
  for (const [name, attribute] of Object.entries(attributes as Members)) {
    const { Type, Value } = (attribute ?? {}) as Record<string, unknown>;
    if (typeof Value === 'string') headers[name] = Type === 'Binary' ? Buffer.from(Value, 'base64') : Value;
  }
  return headers;
}

/**
 * The event of an EventBridge envelope, or undefined where `body` is none or its fields make no CloudEvent. `id`, `source`
 * and `time` are the attributes of that name, `detail-type` is the type, `detail` is the data byte for byte; `account`,
 * `region` and `resources` (as a JSON array) become the extensions `awsaccount`, `awsregion` and `awsresources`.
 */
export function readEventBridge(body: Members, text: string): MeshEvent | undefined {
  const { id, source, time, account, region, resources } = body as Record<string, unknown>;
  const type = body['detail-type'];
  if (!isText(id) || !isText(source) || !isText(type) || !isText(time) || body['detail'] === undefined)
    return undefined;
  const attributes: Record<string, AttributeValue> = newExtensions();
  Object.assign(attributes, { specversion: '1.0', id, source, type, time, datacontenttype: 'application/json' });
  if (isText(account)) attributes['awsaccount'] = account;
  if (isText(region)) attributes['awsregion'] = region;
  if (Array.isArray(resources) && resources.length > 0) attributes['awsresources'] = JSON.stringify(resources);
  try {
    return buildEvent(attributes, Buffer.from(memberText(text, 'detail') as string));
  } catch (error) {
    if (error instanceof FairleadError) return undefined; // e.g. a source with a space: wrapped whole instead
    throw error;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
