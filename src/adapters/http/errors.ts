import { errors } from 'undici';
import { codeOf, type FailureInit, FairleadError, messageOf } from '../../core/errors.ts';
import { CONFIRMED, resultOf, type SendResult } from '../../core/target.ts';

/** Node's and OpenSSL's codes for a certificate that is not accepted, on either side. */
const TLS_CODE =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|DEPTH_ZERO_|SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY|DECODE)_|EPROTO$|INVALID_CA|HOSTNAME_MISMATCH)/;

/** A connection that could not be made: nothing was sent, and the lane waits. */
export function connectError(error: unknown, host: string): FairleadError {
  if (error instanceof FairleadError) return error;
  const tls = TLS_CODE.test(codeOf(error) ?? '');
  return new FairleadError({
    code: tls ? 'E_HTTP_TLS' : 'E_HTTP_UNREACHABLE',
    message: `cannot connect to ${host}: ${messageOf(error)}`,
    unavailable: true,
    cause: error,
  });
}

const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_ABORTED']);

/** A request that got no response: whether the receiver has the event is not known. */
export function requestError(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  const code = codeOf(error) ?? '';
  const shared = { retryable: true, sent: 'unknown', cause: error } as const;
  if (TIMEOUTS.has(code)) {
    return new FairleadError({ ...shared, code: 'E_HTTP_TIMEOUT', message: 'no response in time' });
  }
  if (error instanceof errors.HTTPParserError) {
    return new FairleadError({ ...shared, code: 'E_HTTP_RESPONSE', message: 'the response is not HTTP' });
  }
  if (code === 'UND_ERR_INVALID_ARG') {
    // a header or path that undici refuses: the same event can never be sent
    return new FairleadError({ code: 'E_HTTP_REQUEST', message: messageOf(error), cause: error });
  }
  const message = `the connection broke before the response: ${messageOf(error)}`;
  return new FairleadError({ ...shared, code: 'E_HTTP_CONNECTION_LOST', message });
}

/** The send was aborted: before a connection had the request nothing was sent. */
export function aborted(started: boolean): FairleadError {
  return new FairleadError({
    code: 'E_HTTP_TIMEOUT',
    message: started ? 'no response in time' : 'no connection in time',
    retryable: true,
    unavailable: !started,
    sent: started ? 'unknown' : 'no',
  });
}

export const CLOSED: SendResult = Object.freeze(
  resultOf(new FairleadError({ code: 'E_HTTP_CLOSED', message: 'the target is closed', unavailable: true })),
);

export const GONE: SendResult = Object.freeze(
  resultOf(new FairleadError({ code: 'E_HTTP_GONE', message: 'the receiver answered 410: it wants no more events' })),
);

type Meaning = Pick<FailureInit, 'code' | 'retryable' | 'sent'>;

/**
 * What a status says of the event (CloudEvents web hooks §2.2, RFC 9110 §15). Final ones are not sent again. After 500, 502 and
 * 504 the receiver, or one behind it, may have the event.
 */
function meaningOf(status: number): Meaning {
  if (status < 400) return { code: 'E_HTTP_REDIRECT' };
  if (status === 408 || status === 425) return { code: 'E_HTTP_SERVICE', retryable: true };
  if (status === 401 || status === 403) return { code: 'E_HTTP_DENIED' };
  if (status === 413) return { code: 'E_TOO_LARGE' };
  if (status === 410) return { code: 'E_HTTP_GONE' };
  if (status === 429) return { code: 'E_HTTP_THROTTLED', retryable: true };
  if (status < 500) return { code: 'E_HTTP_REFUSED' };
  return { code: 'E_HTTP_SERVICE', retryable: true, sent: status === 503 ? 'no' : 'unknown' };
}

/** The result that a response means. `retryAfterMs` as the receiver asked for. */
export function resultOfStatus(status: number, retryAfterMs: number | undefined): SendResult {
  if (status >= 200 && status < 300) return CONFIRMED;
  return resultOf(statusError(status, retryAfterMs));
}

export function statusError(status: number, retryAfterMs?: number): FairleadError {
  const what = status < 400 ? 'redirects, which are never followed' : 'does not take the event';
  const after = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new FairleadError({ ...meaningOf(status), ...after, message: `the receiver ${what} (status ${status})` });
}

/**
 * Milliseconds of a `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date against the wall clock `now`. Undefined where it
 * is neither.
 */
export function retryAfter(value: string | readonly string[] | undefined, now: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  if (!/^[A-Z][a-z]+,? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
