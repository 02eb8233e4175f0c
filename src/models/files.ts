import { randomUUID } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../core/errors.ts';
import { modelError } from './contract.ts';

/** Writes a file beside its place, makes it durable and renames it: what is read is the file before or this one. */
export async function writeAtomic(file: string, data: Buffer): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}-${randomUUID()}`);
  try {
    const handle = await fs.open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(draft, file);
  } catch (error) {
    await fs.rm(draft, { force: true });
    throw error;
  }
  await syncDirectory(dirname(file));
}

/** Makes created, renamed and removed names durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The bytes of a file, undefined where there is none. Throws `E_MODEL_TOO_LARGE` beyond `maxBytes` without reading it. */
export async function readIfThere(file: string, maxBytes = 1024 * 1024): Promise<Buffer | undefined> {
  try {
    const handle = await fs.open(file, 'r');
    try {
      const { size } = await handle.stat();
      if (size > maxBytes) throw modelError('E_MODEL_TOO_LARGE', `${file} has ${size} bytes, more than ${maxBytes}`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
