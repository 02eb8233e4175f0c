import {
  type Attributes,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { EventDelivery, Outcome } from '../../core/delivery.ts';
import { messageOf } from '../../core/errors.ts';
import type { Leg, SendResult } from '../../core/target.ts';
import type { AttemptTrace, EventTrace, TracedDecision, TracedEnd, TracedPlace } from '../../core/tracer.ts';
import { decisionAttributes, type FeatureReader } from './decision.ts';

/** Where conventions have a name of their own (OpenTelemetry semantic conventions, `messaging.system`). */
const SYSTEMS: Readonly<Record<string, string>> = { sqs: 'aws_sqs' };

/** The spans of one event: one for the whole of it, and a child for each attempt to send it. */
export class EventSpans implements EventTrace {
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #context: Context;
  readonly #read: FeatureReader;
  /** Of attempts that were bound to a target and not sent yet. */
  #decisions: WeakMap<Leg, Attributes> | undefined;

  constructor(tracer: Tracer, span: Span, context: Context, read: FeatureReader) {
    this.#tracer = tracer;
    this.#span = span;
    this.#context = trace.setSpan(context, span);
    this.#read = read;
  }

  decided(attempt: Leg, decision: TracedDecision): void {
    this.#decisions ??= new WeakMap();
    this.#decisions.set(attempt, explained(decision, this.#read));
  }

  sending(leg: Leg, target: TracedPlace): AttemptTrace {
    const attributes: Attributes = {
      ...placeAttributes(target),
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'send',
      'fairlead.target': target.name,
      'fairlead.route': leg.route,
      'fairlead.attempt': leg.attempt,
      ...this.#decisions?.get(leg),
    };
    const span = this.#tracer.startSpan(`send ${target.name}`, { kind: SpanKind.PRODUCER, attributes }, this.#context);
    return new AttemptSpan(span);
  }

  ended({ what, code, route, target }: TracedEnd): void {
    const attributes: Attributes = {};
    if (code !== undefined) attributes['error.type'] = code;
    if (route !== undefined) attributes['fairlead.route'] = route;
    if (target !== undefined) attributes['fairlead.target'] = target;
    this.#span.addEvent(`fairlead.${what.replace('-', '_')}`, attributes);
    // Where no route took it and the rule is to drop it, all is as it should be.
    if (code !== undefined && (what === 'dead-lettered' || route !== undefined)) fail(this.#span, code);
  }

  settled(outcome: Outcome | undefined): void {
    this.#span.setAttribute('fairlead.outcome', outcome?.verdict ?? 'returned');
    if (outcome?.verdict === 'reject') fail(this.#span, outcome.reason);
    this.#span.end();
  }
}

class AttemptSpan implements AttemptTrace {
  readonly traceparent: string;
  readonly tracestate: string | undefined;
  readonly #span: Span;

  constructor(span: Span) {
    const { traceId, spanId, traceState } = span.spanContext();
    this.#span = span;
    this.traceparent = `00-${traceId}-${spanId}-01`;
    this.tracestate = traceState?.serialize() || undefined;
  }

  ended(result: SendResult): void {
    if (result.status !== 'confirmed') {
      this.#span.setAttribute('fairlead.send.status', result.status);
      fail(this.#span, result.code, result.message);
    }
    this.#span.end();
  }
}

/** What the span of an event says of it from the start. */
export function receiptAttributes({ event, attempt, meta }: EventDelivery, source: TracedPlace): Attributes {
  const attributes: Attributes = {
    ...placeAttributes(source),
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.message.id': event.id,
    'cloudevents.event_id': event.id,
    'cloudevents.event_source': event.source,
    'cloudevents.event_type': event.type,
    'cloudevents.event_spec_version': event.specversion,
    'fairlead.source': source.name,
    'fairlead.bytes': event.bytes,
  };
  if (event.subject !== undefined) attributes['cloudevents.event_subject'] = event.subject;
  if (attempt > 1) attributes['fairlead.redelivery'] = attempt;
  for (const [name, value] of Object.entries(meta.position)) attributes[`fairlead.position.${name}`] = value;
  return attributes;
}

/** Selectors and models are asked here, and what they throw must not stop the event. */
function explained(decision: TracedDecision, read: FeatureReader): Attributes {
  try {
    return decisionAttributes(decision, read);
  } catch (error) {
    return { 'fairlead.choice': decision.choice, 'fairlead.decision.unexplained': messageOf(error) };
  }
}

function placeAttributes({ kind, address }: TracedPlace): Attributes {
  const attributes: Attributes = {};
  if (kind !== undefined) attributes['messaging.system'] = SYSTEMS[kind] ?? kind;
  const name = address?.includes('{') ? 'messaging.destination.template' : 'messaging.destination.name';
  if (address !== undefined) attributes[name] = address;
  return attributes;
}

function fail(span: Span, code: string, message: string = code): void {
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
