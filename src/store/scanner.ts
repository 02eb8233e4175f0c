import type { Damage } from './damage.ts';
import type { DiskFile } from './disk.ts';
import { claimedLength, END_BYTES, FRAME_BYTES, type FrameKey, frameIndex, framePayload, isEnd } from './frame.ts';
import { HEADER_BYTES } from './segment-header.ts';

export interface LogRecord {
  readonly number: number;
  /** A slice of the chunk it was read with. */
  readonly payload: Buffer;
}

export interface ScanOptions {
  readonly name: string;
  readonly key: FrameKey;
  /** Number of the segment's first record. */
  readonly first: number;
  /** Where reading ends at the latest, in bytes. */
  readonly limit: number;
  /** True where frames reach exactly up to `limit`; else they end at the end marker. */
  readonly exact: boolean;
  /** True where another process may be writing: a bad end is read twice, and then is just the end. */
  readonly live: boolean;
  readonly chunkBytes: number;
  /** Whether the file was given up meanwhile: then it may hold another segment by now. */
  readonly gone: () => Promise<boolean>;
  readonly onDamage: (damage: Damage) => void;
}

type Stop = { readonly why: 'more' } | { readonly why: 'large'; readonly bytes: number } | { readonly why: 'bad' };

/** Reads one segment front to back in bounded chunks, skips and reports what is damaged, and finds the end. */
export class SegmentScanner {
  readonly #file: DiskFile;
  readonly #options: ScanOptions;
  #offset: number = HEADER_BYTES;
  #index = 0;
  #ended = false;
  #torn = false;
  #reread = -1;

  constructor(file: DiskFile, options: ScanOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Where the next frame stands or would stand. */
  get offset(): number {
    return this.#offset;
  }

  /** Index of the next record in the segment. */
  get index(): number {
    return this.#index;
  }

  /** True when the segment did not end as a writer leaves it. */
  get torn(): boolean {
    return this.#torn;
  }

  /** The next sound records, at least one; undefined at the end. */
  async next(): Promise<LogRecord[] | undefined> {
    let bytes = this.#options.chunkBytes;
    while (!this.#ended) {
      const chunk = await this.#read(this.#offset, bytes);
      const records: LogRecord[] = [];
      const stop = this.#parse(chunk, records);
      bytes = stop.why === 'large' ? stop.bytes : this.#options.chunkBytes;
      if (stop.why === 'bad') await this.#bad();
      if (records.length > 0) return records;
    }
    return undefined;
  }

  #parse(chunk: Buffer, records: LogRecord[]): Stop {
    const { key, first, limit, exact } = this.#options;
    const base = this.#offset;
    for (let at = 0; ; at = this.#offset - base) {
      const left = limit - this.#offset;
      if (left === 0 && exact) {
        this.#ended = true;
        return { why: 'more' };
      }
      if (left < FRAME_BYTES) return { why: 'bad' };
      if (chunk.length - at < FRAME_BYTES) return at > 0 ? { why: 'more' } : { why: 'bad' };
      const length = claimedLength(chunk, at, key);
      if (length === undefined || FRAME_BYTES + length > left) return { why: 'bad' };
      if (FRAME_BYTES + length > chunk.length - at) {
        if (at > 0) return { why: 'more' };
        if (chunk.length < Math.min(this.#options.chunkBytes, left)) return { why: 'bad' }; // the file is shorter than told
        return { why: 'large', bytes: FRAME_BYTES + length };
      }
      const payload = framePayload(chunk, at, length, key);
      const index = frameIndex(chunk, at);
      if (payload === undefined || index < this.#index) return { why: 'bad' };
      if (index > this.#index) this.#corrupt(this.#offset, index);
      records.push({ number: first + index, payload });
      this.#offset += FRAME_BYTES + length;
      this.#index = index + 1;
    }
  }

  /** No frame at the current offset: the end, or damage with sound frames after it. */
  async #bad(): Promise<void> {
    const { limit, exact, live, name, gone, onDamage } = this.#options;
    const at = this.#offset;
    if (live && this.#reread !== at) {
      this.#reread = at;
      return;
    }
    const ended = await this.#isEnd(at);
    const found = await this.#resync(at + 1);
    if (found === undefined && (live || (ended && !exact))) {
      this.#ended = true;
      return;
    }
    if (await gone()) {
      this.#ended = true;
      this.#torn = true;
      return;
    }
    if (found !== undefined) {
      this.#corrupt(found.offset, found.index);
      this.#offset = found.offset;
      this.#index = found.index;
      return;
    }
    this.#ended = true;
    this.#torn = true;
    const code = exact ? 'E_STORE_CORRUPT' : 'E_STORE_TORN';
    onDamage({ code, segment: name, offset: at, bytes: Math.max(0, limit - at), records: undefined });
  }

  #corrupt(until: number, index: number): void {
    const offset = this.#offset;
    const records = index - this.#index;
    this.#options.onDamage({
      code: 'E_STORE_CORRUPT',
      segment: this.#options.name,
      offset,
      bytes: until - offset,
      records,
    });
  }

  async #isEnd(at: number): Promise<boolean> {
    const marker = await this.#read(at, END_BYTES);
    return marker.length === END_BYTES && isEnd(marker, 0);
  }

  /** The first sound frame at or after `from`. */
  async #resync(from: number): Promise<{ offset: number; index: number } | undefined> {
    const { key, limit, chunkBytes } = this.#options;
    for (let start = from; start + FRAME_BYTES <= limit; ) {
      const chunk = await this.#read(start, chunkBytes);
      if (chunk.length < FRAME_BYTES) return undefined;
      for (let at = chunk.indexOf(key.markBytes); at >= 0; at = chunk.indexOf(key.markBytes, at + 1)) {
        const index = await this.#frameAt(start + at);
        if (index !== undefined && index >= this.#index) return { offset: start + at, index };
      }
      start += chunk.length - 3;
    }
    return undefined;
  }

  async #frameAt(offset: number): Promise<number | undefined> {
    const head = await this.#read(offset, FRAME_BYTES);
    if (head.length < FRAME_BYTES) return undefined;
    const length = claimedLength(head, 0, this.#options.key);
    if (length === undefined || offset + FRAME_BYTES + length > this.#options.limit) return undefined;
    const frame = await this.#read(offset, FRAME_BYTES + length);
    if (frame.length < FRAME_BYTES + length) return undefined;
    return framePayload(frame, 0, length, this.#options.key) === undefined ? undefined : frameIndex(frame, 0);
  }

  async #read(offset: number, bytes: number): Promise<Buffer> {
    const length = Math.max(0, Math.min(bytes, this.#options.limit - offset));
    const buffer = Buffer.allocUnsafeSlow(length);
    return buffer.subarray(0, await this.#file.read(buffer, offset));
  }
}
