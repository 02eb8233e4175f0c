import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { SegmentedLog } from '../../src/store/segmented-log.ts';

/** A directory of its own for the running test, removed afterwards. */
export async function directory(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'fairlead-store-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** All records a log gives, by number. */
export async function contents(log: SegmentedLog, from?: number): Promise<Map<number, Buffer>> {
  const found = new Map<number, Buffer>();
  for await (const records of log.read(from)) for (const { number, payload } of records) found.set(number, payload);
  return found;
}

/** `count` records of `bytes` bytes that begin with their own text. */
export function records(name: string, count: number, bytes = 1024): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.alloc(bytes, `${name}-${index};`));
}
