// The worker process: evaluates JSONata for the gateway that started it, over its standard streams. It is given no
// environment and opens nothing. See ADR 0011.

import { writeFileSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { TransformFailure } from '../../core/transform.ts';
import { compileEvaluation, type Evaluation } from './evaluate.ts';
import { encodeFrame, type Frame, FrameReader, type Reply, type Request } from './frames.ts';

/** Results are kept back this long, so that small ones share a write; the gateway's clock runs from one to the next. */
const FLUSH_MS = 10;
const FLUSH_BYTES = 256 * 1024;

const STDOUT = 1;
const programs = new Map<number, Evaluation>();
const reader = new FrameReader<Request>();
const waiting: Frame<Request>[] = [];
let working = false;

// Ctrl-C and a service manager's SIGTERM reach the whole group; the gateway drains, and its end closes stdin.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
firstToGo();
process.stdin.on('data', (piece: Buffer) => {
  waiting.push(...reader.push(piece));
  if (!working) void work();
});
process.stdin.on('end', () => process.exit(0));
write(encodeFrame({ results: [] }, []));

async function work(): Promise<void> {
  working = true;
  for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) await answer(frame);
  working = false;
}

async function answer({ head, body }: Frame<Request>): Promise<void> {
  const { program, define, forget, lengths, events } = head;
  if (forget !== undefined) programs.delete(forget);
  if (define !== undefined) programs.set(program, compileEvaluation({ ...define, usesEvent: events !== undefined }));
  const evaluation = programs.get(program);
  if (evaluation === undefined) throw new Error(`program ${program} was never defined`);
  let results: Reply['results'][number][] = [];
  let parts: Buffer[] = [];
  let bytes = 0;
  let at = 0;
  let flushedAt = performance.now();
  for (const [index, length] of lengths.entries()) {
    const data = length < 0 ? undefined : body.subarray(at, at + length);
    at += Math.max(0, length);
    const result = await evaluation(data, events?.[index] ?? '');
    if (result instanceof TransformFailure) {
      results.push({ code: result.code, message: result.message });
    } else {
      results.push(result.length);
      parts.push(result);
      bytes += result.length;
    }
    if (index < lengths.length - 1 && bytes < FLUSH_BYTES && performance.now() - flushedAt < FLUSH_MS) continue;
    write(encodeFrame({ results }, parts));
    [results, parts, bytes, flushedAt] = [[], [], 0, performance.now()];
  }
}

/** Synchronous: what is done is out before the next evaluation can go wrong. */
function write(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(STDOUT, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0); // the gateway is gone
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // the pipe is full: the gateway is busy
    }
  }
}

/** When memory or time is short, this process goes before the gateway does. Neither is available everywhere. */
function firstToGo(): void {
  for (const attempt of [() => setPriority(5), () => writeFileSync('/proc/self/oom_score_adj', '1000')]) {
    try {
      attempt();
    } catch {
      // not this system, or not allowed: only a precaution
    }
  }
}
