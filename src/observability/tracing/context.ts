import type { EventDelivery } from '../../core/delivery.ts';
import type { TraceContext } from '../../core/trace-context.ts';

/** Version, trace id, span id and flags (W3C Trace Context §3.2); `ff` and ids of zeros are not valid. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;
const LENGTH = 55;
/** Entries of a `tracestate` that is longer are not carried (§3.3.1.5 asks for 512 characters at least). */
const MAX_STATE = 2_048;

export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text) && (text.length === LENGTH || !text.startsWith('00'));
}

/** Of a valid one: whether who sent it may have recorded it. */
export function isSampled(traceparent: string): boolean {
  return (Number.parseInt(traceparent.slice(LENGTH - 2, LENGTH), 16) & 1) === 1;
}

/** The hop that brought an event, as the headers of its transport tell it. */
export function hopOf({ meta: { headers } }: EventDelivery): TraceContext | undefined {
  return headers === undefined ? undefined : contextOf(headers['traceparent'], headers['tracestate']);
}

/** Where the event began, as its attributes tell it. */
export function originOf({ event: { extensions } }: EventDelivery): TraceContext | undefined {
  return contextOf(extensions['traceparent'], extensions['tracestate']);
}

function contextOf(parent: unknown, state: unknown): TraceContext | undefined {
  if (parent === undefined) return undefined;
  const traceparent = textOf(parent);
  if (traceparent === undefined || !isTraceparent(traceparent)) return undefined;
  const tracestate = state === undefined ? undefined : textOf(state);
  return {
    traceparent,
    tracestate: tracestate !== undefined && tracestate.length <= MAX_STATE ? tracestate : undefined,
  };
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('latin1') : undefined;
}
