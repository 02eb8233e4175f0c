import { FairleadError } from '../../core/errors.ts';
import { statusError } from './errors.ts';
import type { Reply } from './exchange.ts';

/**
 * Asks a receiver for permission (HTTP 1.1 Web Hooks for Event Delivery 1.0.2 §4.1) and resolves with the requests per minute it
 * allows, `*` for any number. Throws `E_HTTP_WEBHOOK_REFUSED` where it says no, what cannot be reached or is busy otherwise.
 */
export async function askPermission(
  origin: string,
  options: (headers: Record<string, string>) => Promise<Reply>,
): Promise<string> {
  const reply = await options({ 'webhook-request-origin': origin });
  if ('error' in reply) throw again(reply.error);
  const { status, headers, retryAfterMs } = reply;
  if (status < 200 || status > 299) {
    const error = statusError(status, retryAfterMs);
    throw error.retryable ? again(error) : refused(`it answers ${status} to the OPTIONS handshake`);
  }
  const allowed = headers['webhook-allowed-origin'];
  if (allowed !== '*' && allowed !== origin) throw refused(`it does not allow the origin "${origin}"`);
  const rate = headers['webhook-allowed-rate'];
  return typeof rate === 'string' && /^[1-9]\d{0,8}$/.test(rate) ? rate : '*';
}

function refused(why: string): FairleadError {
  return new FairleadError({ code: 'E_HTTP_WEBHOOK_REFUSED', message: `the receiver takes no web hooks: ${why}` });
}

/** Nothing but the handshake was sent, so it is simply asked again. */
function again(error: FairleadError): FairleadError {
  return new FairleadError({ code: error.code, message: error.message, unavailable: true, cause: error });
}
