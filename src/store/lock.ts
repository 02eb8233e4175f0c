import { createHash, randomUUID } from 'node:crypto';
import { readFile, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { codeOf } from '../core/errors.ts';
import { fileFailure, storeError } from './failure.ts';

/**
 * Makes this process the only writer of a directory; the returned function gives it up. A lock left behind by a dead
 * process is taken over. Throws `E_STORE_LOCKED` while its holder lives, or where that cannot be known (another host).
 *
 * The lock is a dangling symbolic link whose text names the holder: made atomically, never half written, and it needs
 * no free block, so that a gateway starts on a full disk.
 */
export async function acquireLock(directory: string): Promise<() => Promise<void>> {
  const file = path.join(directory, 'lock');
  const own = format(await identity(process.pid));
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await create(file, own)) return () => release(file, own);
    const text = await read(file);
    if (text === undefined) continue;
    const holder = parse(text);
    if (holder === undefined || (await lives(holder))) throw locked(file, text);
    if (await takeOver(file, text, own)) return () => release(file, own);
  }
  throw locked(file, 'another process that is starting');
}

interface Holder {
  readonly pid: string;
  /** Start of the process and boot of the machine, where the system tells: a reused pid is another process. */
  readonly started: string;
  readonly boot: string;
  readonly host: string;
}

function format(holder: Holder): string {
  return `pid=${holder.pid},start=${holder.started},boot=${holder.boot},host=${holder.host}`;
}

function parse(text: string): Holder | undefined {
  const match = /^pid=(\d+),start=(\d*),boot=([0-9a-f]*),host=(.*)$/.exec(text);
  if (match === null) return undefined;
  const [, pid, started, boot, host] = match as unknown as [string, string, string, string, string];
  return { pid, started, boot, host };
}

async function lives(holder: Holder): Promise<boolean> {
  const now = await identity(Number(holder.pid));
  if (holder.host !== now.host) return true;
  if (holder.boot !== now.boot) return false;
  try {
    process.kill(Number(holder.pid), 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  return holder.started === now.started;
}

async function identity(pid: number): Promise<Holder> {
  const boot = await readProc('/proc/sys/kernel/random/boot_id');
  const stat = await readProc(`/proc/${pid}/stat`);
  // proc(5): the 22nd field; the second one, in parentheses, may hold spaces
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { pid: String(pid), started, boot: boot.slice(0, 8), host: hostname() };
}

/** The text of a /proc file; empty where there is no such process or no /proc. */
async function readProc(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch {
    return '';
  }
}

async function create(file: string, own: string): Promise<boolean> {
  try {
    await symlink(own, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw fileFailure(error, file);
  }
}

/**
 * Replaces the lock of a dead holder. The right to do so is a claim named after the very text that is stale, so that of
 * many only one has it, and nobody who comes late can replace a newer lock; the claim of a dead claimant is claimed in turn.
 */
async function takeOver(file: string, stale: string, own: string): Promise<boolean> {
  const claims: string[] = [];
  for (let chain = stale; ; ) {
    const claim = `${file}.${createHash('sha256').update(chain).digest('hex').slice(0, 16)}`;
    claims.push(claim);
    if (await create(claim, own)) break;
    const text = await read(claim);
    const holder = text === undefined ? undefined : parse(text);
    if (holder === undefined || (await lives(holder))) return false;
    chain += text;
  }
  try {
    if ((await read(file)) !== stale) return false;
    const draft = `${file}.${randomUUID()}`;
    await create(draft, own);
    await rename(draft, file);
    return true;
  } catch (error) {
    throw fileFailure(error, file);
  } finally {
    for (const claim of claims) await remove(claim);
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readlink(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileFailure(error, file);
  }
}

async function release(file: string, own: string): Promise<void> {
  if ((await read(file)) === own) await remove(file);
}

async function remove(file: string): Promise<void> {
  await unlink(file).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw fileFailure(error, file);
  });
}

function locked(file: string, holder: string): Error {
  const message = `${path.dirname(file)} is in use by ${holder}; if that is gone, remove ${file}`;
  return storeError('E_STORE_LOCKED', message, false);
}
