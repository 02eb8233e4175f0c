import type { NativeHeaders } from '../../core/delivery.ts';
import type { TraceContext } from '../../core/trace-context.ts';

/**
 * Headers that belong to one hop, to its connection or to its credentials (RFC 9110 §7.6.1 and what clients add), and those
 * of the web hook protocol: neither native headers of an event nor written from one.
 */
const OWN: ReadonlySet<string> = new Set(
  `accept accept-charset accept-encoding accept-language access-control-request-headers access-control-request-method
  authorization cache-control connection content-encoding content-length content-type cookie date expect forwarded from host
  http2-settings keep-alive max-forwards origin pragma priority proxy-authenticate proxy-authorization proxy-connection referer
  retry-after sec-fetch-dest sec-fetch-mode sec-fetch-site server set-cookie set-cookie2 te trailer transfer-encoding upgrade
  user-agent via webhook-allowed-origin webhook-allowed-rate webhook-request-callback webhook-request-origin
  webhook-request-rate x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip __proto__`.split(/\s+/),
);

/** Whether a header (in lower case) is one of the sender's own, to be passed on. */
export function isPassed(name: string): boolean {
  return !name.startsWith('ce-') && !OWN.has(name);
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/;
const VALUE = /^[\x20-\x7e\t]*$/;

/** Writes the trace context of the hop (W3C Trace Context §3), in place of what the source passed on. */
export function addTrace(headers: Record<string, string>, { traceparent, tracestate }: TraceContext): void {
  headers['traceparent'] = traceparent;
  if (tracestate === undefined) delete headers['tracestate'];
  else headers['tracestate'] = tracestate;
}

/** Writes native headers beside those of the event; returns how many HTTP cannot carry or the event has itself. */
export function addNative(headers: Record<string, string>, native: NativeHeaders): number {
  let dropped = 0;
  for (const given in native) {
    const name = given.toLowerCase();
    const value = String(native[given]);
    if (TOKEN.test(name) && isPassed(name) && VALUE.test(value) && headers[name] === undefined) headers[name] = value;
    else dropped += 1;
  }
  return dropped;
}
