import { httpStatusOf } from '../../cloudevents/http.ts';
import { FairleadError } from '../../core/errors.ts';
import type { Problem } from './problem.ts';

/** Up to this many bytes are read and thrown away, so that the client gets to read why; beyond it the connection ends. */
const READ_AWAY_BYTES = 16 * 2 ** 20;

/** The answer to a request whose events could not be had. */
export function refusal(error: unknown): Problem {
  if (!(error instanceof FairleadError))
    return { status: 500, code: 'E_ERROR', detail: 'the request could not be read' };
  return { status: statusOf(error), code: error.code, detail: error.message };
}

function statusOf(error: FairleadError): number {
  if (error.code === 'E_EVENT_TOO_LARGE' || error.code === 'E_HTTP_BATCH_TOO_LARGE') return 413;
  return httpStatusOf(error);
}

/** The answer to a body over its bound; `declared` bytes where Content-Length said so. */
export function tooLarge(batch: boolean, maxBytes: number, declared: number | undefined): Problem {
  const code = batch ? 'E_HTTP_BATCH_TOO_LARGE' : 'E_EVENT_TOO_LARGE';
  const bound = batch ? 'maxBodyBytes' : 'maxEventBytes';
  const detail = `the body is larger than "${bound}" (${maxBytes} bytes)`;
  return { status: 413, code, detail, close: declared === undefined || declared > READ_AWAY_BYTES };
}
