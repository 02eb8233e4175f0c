import {
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  type Tracer as SpanTracer,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Clock, Random } from '../../core/clock.ts';
import type { EventDelivery } from '../../core/delivery.ts';
import type { Log } from '../../core/log.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import type { EventTrace, TracedPlace, Tracer } from '../../core/tracer.ts';
import { hopOf, isSampled, originOf } from './context.ts';
import type { FeatureReader } from './decision.ts';
import { EventSpans, receiptAttributes } from './event-spans.ts';
import { SpanQueue, TracingCounters } from './span-queue.ts';
import { TraceIds } from './trace-ids.ts';

export interface TracingOptions {
  /** Where spans are POSTed, with its path (OTLP/HTTP in JSON). */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Part of the events that bring no trace of their own, 0 to 1. */
  readonly sample: number;
  readonly maxSpans: number;
  readonly service: string;
  readonly instance: string;
  readonly readFeatures: FeatureReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Bound of one request to the collector, what the exporter tries again included. */
const EXPORT_MS = 5_000;

/** Follows events in spans of OpenTelemetry; see {@link Tracer}. Only this folder imports OpenTelemetry. */
export class Tracing implements Tracer {
  readonly counters: TracingCounters = new TracingCounters();
  readonly #ids: TraceIds;
  readonly #queue: SpanQueue;
  readonly #tracer: SpanTracer;
  readonly #read: FeatureReader;

  constructor(options: TracingOptions) {
    const { endpoint, headers, sample, maxSpans, service, instance, clock, random, log } = options;
    this.#read = options.readFeatures;
    this.#ids = new TraceIds(sample, random);
    const exporter = new OTLPTraceExporter({ url: endpoint, headers: { ...headers }, timeoutMillis: EXPORT_MS });
    this.#queue = new SpanQueue({ exporter, maxSpans, counters: this.counters, clock, log });
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance }),
      sampler: new AlwaysOnSampler(), // what is not sampled never comes this far
      idGenerator: this.#ids,
      spanProcessors: [this.#queue],
      spanLimits: { attributeCountLimit: 256, attributeValueLengthLimit: 1_024, eventCountLimit: 64 },
    });
    this.#tracer = provider.getTracer('fairlead');
  }

  received(delivery: EventDelivery, source: TracedPlace): EventTrace | undefined {
    const hop = hopOf(delivery);
    const origin = originOf(delivery);
    const parent = hop ?? origin;
    if (parent === undefined ? !this.#ids.draw() : !isSampled(parent.traceparent)) return undefined;
    if (this.#queue.full) {
      this.counters.skipped += 1;
      return undefined;
    }
    this.counters.events += 1;
    const context = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
    const attributes = receiptAttributes(delivery, source);
    const linked = hop !== undefined && origin !== undefined && hop.traceparent !== origin.traceparent;
    const links = linked ? [{ context: spanContextOf(origin) }] : [];
    const options = { kind: SpanKind.CONSUMER, attributes, links };
    const span = this.#tracer.startSpan(`process ${source.name}`, options, context);
    return new EventSpans(this.#tracer, span, context, this.#read);
  }

  /** Exports what has ended, for at most so many milliseconds. Never rejects. */
  close(ms: number): Promise<void> {
    return this.#queue.close(ms);
  }
}

function contextOf(parent: TraceContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
}

function spanContextOf({ traceparent, tracestate }: TraceContext): SpanContext {
  const [, traceId, spanId] = traceparent.split('-') as [string, string, string];
  const traceFlags = isSampled(traceparent) ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  return tracestate === undefined ? context : { ...context, traceState: createTraceState(tracestate) };
}
