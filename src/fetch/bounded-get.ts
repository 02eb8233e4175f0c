import { type Dispatcher, request } from 'undici';
import { FairleadError, messageOf } from '../core/errors.ts';

export interface GetOptions {
  readonly timeoutMs: number;
  /** Largest body, in bytes as transferred. */
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly dispatcher?: Dispatcher;
  readonly signal?: AbortSignal;
}

export interface Got {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * GETs a small document. Redirects are never followed and no content encoding is asked for. Rejects with
 * `E_FETCH_UNAVAILABLE` where no complete answer came in time, and with `E_FETCH_TOO_LARGE`.
 */
export async function boundedGet(url: string, options: GetOptions): Promise<Got> {
  const { timeoutMs, maxBytes, headers = {}, dispatcher, signal } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(url, {
      headers: { 'accept-encoding': 'identity', ...headers },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(dispatcher === undefined ? {} : { dispatcher }),
    });
    return { status: response.statusCode, body: await read(response.body, maxBytes, url) };
  } catch (error) {
    if (error instanceof FairleadError) throw error;
    const what = timeout.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error);
    throw new FairleadError({
      code: 'E_FETCH_UNAVAILABLE',
      message: `${shown(url)}: ${what}`,
      unavailable: true,
      cause: error,
    });
  }
}

/** An address without what may be a secret. */
export function shown(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

async function read(body: Dispatcher.ResponseData['body'], maxBytes: number, url: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxBytes) {
      // leaving the loop destroys the stream, and with it the connection
      throw new FairleadError({ code: 'E_FETCH_TOO_LARGE', message: `${shown(url)}: more than ${maxBytes} bytes` });
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
