import { hash, randomUUID } from 'node:crypto';
import { constants, promises as fs } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ClaimStore } from '../core/claim-store.ts';
import type { Clock } from '../core/clock.ts';
import { codeOf, FairleadError } from '../core/errors.ts';

export interface FileClaimOptions {
  readonly path: string;
  /** What stands before a file's name in a reference; default the `file:` URL of the directory. Ends in a slash. */
  readonly uri?: string | undefined;
  /** Most bytes in the directory. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

const NAME = /^[0-9a-f]{64}$/;
/** A full store is counted again this often: something else may have made room. */
const RECOUNT_MS = 10_000;

/**
 * Data in files of one directory, named by their SHA-256: sending again writes nothing twice, and what is read is what
 * was written. Nothing is deleted here: who reads the references knows when that may be.
 */
export class FileClaimStore implements ClaimStore {
  readonly #path: string;
  readonly #prefix: string;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  #used = 0;
  #countedAt: number | undefined;

  constructor({ path, uri, maxBytes, clock }: FileClaimOptions) {
    this.#path = resolve(path);
    this.#prefix = uri ?? `${pathToFileURL(this.#path).href}/`;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  async put(data: Buffer): Promise<string> {
    const name = hash('sha256', data, 'hex');
    try {
      if ((await this.#sizeOf(name)) !== data.length) await this.#write(name, data);
    } catch (error) {
      throw error instanceof FairleadError ? error : unusable('written', error);
    }
    return this.#prefix + name;
  }

  async get(reference: string, maxBytes: number): Promise<Buffer | undefined> {
    const name = reference.startsWith(this.#prefix) ? reference.slice(this.#prefix.length) : '';
    // Only names that this store gives: no path can lead out of the directory.
    if (!NAME.test(name)) return undefined;
    const data = await this.#read(name, maxBytes);
    if (hash('sha256', data, 'hex') === name) return data;
    throw new FairleadError({ code: 'E_CLAIM_CORRUPT', message: `the data of claim ${name} is not what was kept` });
  }

  async check(): Promise<void> {
    try {
      await this.#count();
      await fs.access(this.#path, constants.R_OK | constants.W_OK);
    } catch (error) {
      throw unusable('used', error);
    }
  }

  async #write(name: string, data: Buffer): Promise<void> {
    await this.#reserve(data.length);
    const draft = join(this.#path, `.${randomUUID()}`);
    try {
      const file = await fs.open(draft, 'wx', 0o600);
      try {
        await file.writeFile(data);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(draft, join(this.#path, name));
      const directory = await fs.open(this.#path, 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    } catch (error) {
      this.#used -= data.length;
      await fs.rm(draft, { force: true });
      throw error;
    }
  }

  async #reserve(bytes: number): Promise<void> {
    if (this.#countedAt === undefined) await this.#count();
    if (this.#used + bytes > this.#maxBytes && this.#clock.now() - (this.#countedAt ?? 0) >= RECOUNT_MS)
      await this.#count();
    if (this.#used + bytes > this.#maxBytes) {
      const message = `the claim store has no room for ${bytes} bytes more (maxBytes ${this.#maxBytes}): ${this.#path}`;
      throw new FairleadError({ code: 'E_CLAIM_FULL', message, retryable: true, unavailable: true });
    }
    this.#used += bytes;
  }

  async #count(): Promise<void> {
    await fs.mkdir(this.#path, { recursive: true, mode: 0o700 });
    const sizes = await Promise.all((await fs.readdir(this.#path)).map((name) => this.#sizeOf(name)));
    this.#used = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    this.#countedAt = this.#clock.now();
  }

  async #sizeOf(name: string): Promise<number | undefined> {
    try {
      return (await fs.lstat(join(this.#path, name))).size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #read(name: string, maxBytes: number): Promise<Buffer> {
    try {
      const file = await fs.open(join(this.#path, name), constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        const { size } = await file.stat();
        if (size <= maxBytes) return await file.readFile();
        const message = `claim ${name} has ${size} bytes, more than maxBytes (${maxBytes})`;
        throw new FairleadError({ code: 'E_CLAIM_TOO_LARGE', message });
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof FairleadError) throw error;
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ELOOP') throw unusable('read', error);
      throw new FairleadError({ code: 'E_CLAIM_MISSING', message: `claim ${name} is not in the store` });
    }
  }
}

function unusable(what: string, cause: unknown): FairleadError {
  const message = `the claim store cannot be ${what} (${codeOf(cause) ?? 'unknown cause'})`;
  return new FairleadError({ code: 'E_CLAIM_STORE', message, retryable: true, unavailable: true, cause });
}
