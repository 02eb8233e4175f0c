/**
 * What goes over the pipes between the gateway and a worker process: frames of a head in JSON and bytes behind it,
 * each with its length (32 bits, big-endian) before them.
 */
export interface Frame<H> {
  readonly head: H;
  readonly body: Buffer;
}

/** To the worker: evaluate `program` for each input, whose lengths (-1: no data) say how the body is cut. */
export interface Request {
  readonly program: number;
  /** With the first request for a program: what it is. */
  readonly define?: { readonly expression: string; readonly timeoutMs: number; readonly maxBytes: number } | undefined;
  /** A program that will not be asked for again under its number. */
  readonly forget?: number | undefined;
  readonly lengths: readonly number[];
  /** Attributes as JSON by input, where the program looks at them. */
  readonly events?: readonly string[] | undefined;
}

/** From the worker: it is ready (no results), or results in the order of the inputs, as they are there. */
export interface Reply {
  readonly results: readonly (number | { readonly code: string; readonly message: string })[];
}

const PREFIX_BYTES = 8;

export function encodeFrame(head: Request | Reply, parts: readonly Buffer[]): Buffer {
  const text = Buffer.from(JSON.stringify(head), 'utf8');
  const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix.writeUInt32BE(text.length, 0);
  prefix.writeUInt32BE(bodyBytes, 4);
  return Buffer.concat([prefix, text, ...parts], PREFIX_BYTES + text.length + bodyBytes);
}

/** Puts frames together from the pieces a pipe gives. */
export class FrameReader<H> {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #wanted = PREFIX_BYTES;

  /** The frames that are complete with this piece. */
  push(piece: Buffer): Frame<H>[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    const frames: Frame<H>[] = [];
    while (this.#bytes >= this.#wanted) {
      const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
      this.#pieces = [all];
      const headBytes = all.readUInt32BE(0);
      const end = PREFIX_BYTES + headBytes + all.readUInt32BE(4);
      this.#wanted = end;
      if (all.length < end) break;
      const head = JSON.parse(all.toString('utf8', PREFIX_BYTES, PREFIX_BYTES + headBytes)) as H;
      frames.push({ head, body: all.subarray(PREFIX_BYTES + headBytes, end) });
      this.#pieces = [all.subarray(end)];
      this.#bytes = all.length - end;
      this.#wanted = PREFIX_BYTES;
    }
    return frames;
  }
}
