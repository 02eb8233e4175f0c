/**
 * The W3C trace context of one hop (https://www.w3.org/TR/trace-context/). It travels in transport headers, beside the event:
 * the attributes `traceparent` and `tracestate` tell of the trace in which the event began, and nobody changes them on its way
 * (CloudEvents distributed tracing extension).
 */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate: string | undefined;
}
