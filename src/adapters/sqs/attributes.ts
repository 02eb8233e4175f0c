import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { NativeHeaders } from '../../core/delivery.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import { isSendable } from './text.ts';

export type MessageAttributes = Record<string, MessageAttributeValue>;

/** Before CloudEvents attributes among message attributes, mirrored or in binary mode. */
export const PREFIX = 'ce_';
/** What SQS has room for on one message. */
export const MAX_ATTRIBUTES = 10;

/** Message attributes under construction: at most ten, none that SQS would refuse the whole message for. */
export class AttributeList {
  readonly values: MessageAttributes = Object.create(null);
  count = 0;
  /** As SQS counts them: name, data type and value. */
  bytes = 0;

  /** False where there is no room, or SQS would not take the name or the value. */
  add(name: string, value: string | Buffer): boolean {
    if (this.count >= MAX_ATTRIBUTES || value.length === 0 || this.values[name] !== undefined) return false;
    if (typeof value === 'string') {
      if (!isSendable(value)) return false;
      this.values[name] = { DataType: 'String', StringValue: value };
      this.bytes += name.length + 6 + Buffer.byteLength(value);
    } else {
      this.values[name] = { DataType: 'Binary', BinaryValue: value };
      this.bytes += name.length + 6 + value.length;
    }
    this.count += 1;
    return true;
  }

  /** Adds the trace context of the hop where that keeps all attributes within so many bytes: it must not cost the event. */
  trace({ traceparent, tracestate }: TraceContext, maxBytes: number): void {
    const entries = { traceparent, ...(tracestate === undefined ? {} : { tracestate }) };
    for (const [name, value] of Object.entries(entries)) {
      if (this.bytes + name.length + 6 + Buffer.byteLength(value) > maxBytes || !this.add(name, value)) return;
    }
  }

  /** Adds native headers of the source; returns how many could not go along. `traced`: the trace context is another. */
  pass(headers: NativeHeaders | undefined, traced: boolean): number {
    let dropped = 0;
    for (const name in headers) {
      if (traced && (name === 'traceparent' || name === 'tracestate')) continue;
      const carried = isAttributeName(name) && this.add(name, headers[name] as string | Buffer);
      if (!carried) dropped += 1;
    }
    return dropped;
  }
}

/**
 * Letters, digits, `_`, `-` and `.`, up to 256; not beginning with `AWS.` or `Amazon.`, no dot at an end or after another
 * (SQS Developer Guide, "Message attribute components"); and not one of ours.
 */
function isAttributeName(name: string): boolean {
  if (!/^(?!aws\.|amazon\.)[\w-]+(?:\.[\w-]+)*$/i.test(name) || name.length > 256) return false;
  return !name.startsWith(PREFIX);
}

/** The text of a String or Number attribute, the bytes of a Binary one. */
export function attributeValue(attribute: MessageAttributeValue | undefined): string | Buffer | undefined {
  if (attribute === undefined) return undefined;
  const { StringValue, BinaryValue } = attribute;
  if (BinaryValue !== undefined) {
    return Buffer.from(BinaryValue.buffer, BinaryValue.byteOffset, BinaryValue.byteLength);
  }
  return StringValue;
}

/** The native headers of a received message: its attributes but for mirrored CloudEvents attributes. */
export function nativeHeaders(attributes: Readonly<MessageAttributes> | undefined): NativeHeaders | undefined {
  let headers: Record<string, string | Buffer> | undefined;
  for (const name in attributes) {
    if (name.startsWith(PREFIX)) continue;
    const value = attributeValue(attributes[name]);
    if (value === undefined) continue;
    headers ??= Object.create(null) as Record<string, string | Buffer>;
    headers[name] = value;
  }
  return headers;
}
