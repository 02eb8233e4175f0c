import type { IncomingMessage } from 'node:http';

const EMPTY = Buffer.alloc(0);

/** Bytes of bodies that are being read, over all requests of one server. */
export class ReadingBytes {
  readonly max: number;
  current = 0;

  constructor(max: number) {
    this.max = max;
  }
}

/** How reading a body ended: with the bytes, over its own bound, over the bound of all, or with the client gone. */
export type BodyEnd = Buffer | 'too-large' | 'busy' | 'gone';

/** Reads the body and calls `done` once. Whatever came over a bound is not kept; the caller answers and closes. */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  reading: ReadingBytes,
  done: (end: BodyEnd) => void,
): void {
  let chunks: Buffer[] | undefined;
  let first: Buffer = EMPTY;
  let bytes = 0;
  let over = false;
  const end = (how: BodyEnd): void => {
    if (over) return;
    over = true;
    reading.current -= bytes;
    chunks = undefined;
    done(how);
  };
  request.on('data', (chunk: Buffer) => {
    if (over) return;
    bytes += chunk.length;
    reading.current += chunk.length;
    if (bytes > maxBytes) end('too-large');
    else if (reading.current > reading.max) end('busy');
    else if (first.length === 0) first = chunk;
    else if (chunks === undefined) chunks = [first, chunk];
    else chunks.push(chunk);
  });
  request.on('end', () => end(chunks === undefined ? first : Buffer.concat(chunks, bytes)));
  request.on('error', () => end('gone')); // aborted or reset: nobody is left to be told
  request.on('close', () => end('gone'));
}
