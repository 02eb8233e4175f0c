import { createHash, randomUUID } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { codeOf, FairleadError } from '../core/errors.ts';
import { MAX_MODEL_BYTES } from './admission.ts';
import { modelError } from './contract.ts';
import { readIfThere, syncDirectory, writeAtomic } from './files.ts';
import { EMPTY_STATE, type ModelMeta, type ModelState, parseMeta, parseState } from './registry-state.ts';

/** Versions of one model that are kept beside those in use. */
export const KEPT_VERSIONS = 10;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const VERSION = /^[1-9]\d{0,8}$/;
const LOCK_ATTEMPTS = 50;
const LOCK_WAIT_MS = 20;

export interface ListedVersion {
  readonly version: number;
  readonly meta: ModelMeta;
}

export interface ListedModel {
  readonly name: string;
  readonly state: ModelState;
  /** Ascending. */
  readonly versions: readonly ListedVersion[];
}

/** The version in force, with what `loadModelFile` wants. */
export interface ActiveModel {
  readonly version: number;
  readonly path: string;
  readonly sha256: string;
}

/**
 * Models in a folder: `NAME/VERSION/{model.onnx,meta.json}` and `NAME/state.json`. Every change is a rename of what is
 * complete and on the disk, so a crash leaves the state before or the one after. Versions count up and never change.
 */
export class ModelRegistry {
  readonly directory: string;
  readonly #kept: number;

  constructor(directory: string, options: { readonly keep?: number } = {}) {
    this.directory = directory;
    this.#kept = options.keep ?? KEPT_VERSIONS;
  }

  /** Adds a model as the next version; removes the oldest versions that nothing uses. */
  async add(name: string, onnx: Buffer, about: Omit<ModelMeta, 'sha256' | 'bytes'>): Promise<ListedVersion> {
    const folder = this.#folder(name);
    const meta: ModelMeta = {
      ...about,
      sha256: createHash('sha256').update(onnx).digest('hex'),
      bytes: onnx.length,
    };
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
    const draft = join(folder, `.draft-${randomUUID()}`);
    await fs.mkdir(draft, { mode: 0o700 });
    try {
      await writeAtomic(join(draft, 'model.onnx'), onnx);
      await writeAtomic(join(draft, 'meta.json'), json(meta));
      const version = await this.#claim(folder, draft, name);
      await syncDirectory(folder);
      await this.#prune(name);
      return { version, meta };
    } catch (error) {
      await fs.rm(draft, { recursive: true, force: true });
      throw unusable(folder, error);
    }
  }

  /** Bytes and description of a version. Throws `E_MODEL_UNKNOWN`, and `E_MODEL_PIN` where the bytes are not those added. */
  async read(name: string, version: number): Promise<{ onnx: Buffer; meta: ModelMeta }> {
    const folder = this.#version(name, version);
    const meta = await this.meta(name, version);
    const onnx = await readIfThere(join(folder, 'model.onnx'), MAX_MODEL_BYTES);
    if (onnx === undefined) throw unknown(name, version);
    const sha256 = createHash('sha256').update(onnx).digest('hex');
    if (sha256 === meta.sha256) return { onnx, meta };
    throw modelError('E_MODEL_PIN', `version ${version} of ${name} is not what was added: its SHA-256 is ${sha256}`);
  }

  /** Undefined where no version is in force. */
  async active(name: string): Promise<ActiveModel | undefined> {
    const { active } = await this.state(name);
    if (active === null) return undefined;
    return this.version(name, active);
  }

  /** Where a version is. Throws `E_MODEL_UNKNOWN`. */
  async version(name: string, version: number): Promise<ActiveModel> {
    const { sha256 } = await this.meta(name, version);
    return { version, path: join(this.#version(name, version), 'model.onnx'), sha256 };
  }

  async meta(name: string, version: number): Promise<ModelMeta> {
    const file = join(this.#version(name, version), 'meta.json');
    const text = await readIfThere(file);
    if (text === undefined) throw unknown(name, version);
    return parseMeta(text, file);
  }

  async state(name: string): Promise<ModelState> {
    const file = join(this.#folder(name), 'state.json');
    const text = await readIfThere(file);
    return text === undefined ? EMPTY_STATE : parseState(text, file);
  }

  /**
   * Puts a version in force; the one before is what `rollback` goes back to.
   *
   * @param inPlaceOf The version that must be in force by now (null: none), or it rejects with `E_MODEL_SUPERSEDED`; default: any.
   */
  promote(name: string, version: number, inPlaceOf?: number | null): Promise<ModelState> {
    return this.#change(name, async (state) => {
      await this.meta(name, version);
      if (inPlaceOf !== undefined && state.active !== inPlaceOf) {
        const message = `version ${state.active ?? 'none'} of ${name} was put in force meanwhile`;
        throw modelError('E_MODEL_SUPERSEDED', message);
      }
      if (state.active === version) return state;
      const { canary, shadow } = state;
      return {
        active: version,
        previous: state.active ?? state.previous,
        canary: canary === version ? null : canary,
        shadow: shadow === version ? null : shadow,
      };
    });
  }

  /** Goes back to the version before. Throws `E_MODEL_ROLLBACK` where there is none. */
  rollback(name: string): Promise<ModelState> {
    return this.#change(name, async (state) => {
      if (state.previous === null) {
        throw modelError('E_MODEL_ROLLBACK', `${name} has no version before the one in force`);
      }
      await this.meta(name, state.previous);
      return { ...state, active: state.previous, previous: null, canary: null };
    });
  }

  /** Takes a version out of force if it is: the one before is in force then, or none. */
  withdraw(name: string, version: number): Promise<ModelState> {
    return this.#change(name, async (state) =>
      state.active === version ? { ...state, active: state.previous, previous: null } : state,
    );
  }

  /** Names the version that is tried beside the one in force, on a share of the events or on none; null for no version. */
  trial(name: string, role: 'canary' | 'shadow', version: number | null): Promise<ModelState> {
    return this.#change(name, async (state) => {
      if (version !== null) await this.meta(name, version);
      return state[role] === version ? state : { ...state, [role]: version };
    });
  }

  async list(): Promise<readonly ListedModel[]> {
    const models: ListedModel[] = [];
    for (const name of (await names(this.directory)).filter((entry) => NAME.test(entry)).sort()) {
      const versions: ListedVersion[] = [];
      for (const version of await this.#versions(name))
        versions.push({ version, meta: await this.meta(name, version) });
      if (versions.length > 0) models.push({ name, state: await this.state(name), versions });
    }
    return models;
  }

  async #versions(name: string): Promise<number[]> {
    const entries = (await names(this.#folder(name))).filter((entry) => VERSION.test(entry));
    return entries.map(Number).sort((a, b) => a - b);
  }

  /** Moves a complete draft to the next number. Two who add at once take two numbers: a rename does not replace a full folder. */
  async #claim(folder: string, draft: string, name: string): Promise<number> {
    for (;;) {
      const state = await this.state(name);
      const taken = [...(await this.#versions(name)), state.active ?? 0, state.previous ?? 0];
      const version = Math.max(0, ...taken) + 1;
      try {
        await fs.rename(draft, join(folder, String(version)));
        return version;
      } catch (error) {
        if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
      }
    }
  }

  async #prune(name: string): Promise<void> {
    const { active, previous, canary, shadow } = await this.state(name);
    const used = new Set([active, previous, canary, shadow]);
    const free = (await this.#versions(name)).filter((version) => !used.has(version));
    for (const version of free.slice(0, Math.max(0, free.length - this.#kept))) {
      // first out of the way in one step, so that no version is ever half there
      const doomed = join(this.#folder(name), `.removed-${randomUUID()}`);
      try {
        await fs.rename(this.#version(name, version), doomed);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') continue; // somebody else who added one was quicker
        throw error;
      }
      await fs.rm(doomed, { recursive: true, force: true });
    }
  }

  /** Reads, changes and replaces the state while nobody else does. */
  async #change(name: string, change: (state: ModelState) => Promise<ModelState>): Promise<ModelState> {
    const folder = this.#folder(name);
    try {
      const release = await this.#lock(folder, name);
      try {
        const before = await this.state(name);
        const after = await change(before);
        if (after !== before) await writeAtomic(join(folder, 'state.json'), json(after));
        return after;
      } finally {
        await release();
      }
    } catch (error) {
      throw unusable(folder, error);
    }
  }

  /** A lock whose holder has died is taken over. */
  async #lock(folder: string, name: string): Promise<() => Promise<void>> {
    const file = join(folder, '.lock');
    for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
      try {
        await fs.writeFile(file, String(process.pid), { flag: 'wx', mode: 0o600 });
        return () => fs.rm(file, { force: true });
      } catch (error) {
        if (codeOf(error) === 'ENOENT') throw modelError('E_MODEL_UNKNOWN', `there is no model "${name}"`);
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      if (await heldByTheDead(file)) await takeAway(file);
      else await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS));
    }
    throw modelError('E_MODEL_LOCKED', `${name} is being changed by another process; if that is gone, remove ${file}`);
  }

  #folder(name: string): string {
    if (NAME.test(name)) return join(this.directory, name);
    throw modelError('E_MODEL_NAME', `"${name.slice(0, 64)}" is no name of a model: lower-case letters, digits and -`);
  }

  #version(name: string, version: number): string {
    if (!VERSION.test(String(version))) throw unknown(name, version);
    return join(this.#folder(name), String(version));
  }
}

async function heldByTheDead(lock: string): Promise<boolean> {
  const pid = Number((await readIfThere(lock))?.toString() ?? '');
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** Removes the lock of a dead process; gives back what turns out to be the lock of one that came in between. */
async function takeAway(lock: string): Promise<void> {
  const taken = `${lock}-${randomUUID()}`;
  try {
    await fs.rename(lock, taken);
    if (!(await heldByTheDead(taken))) await fs.link(taken, lock);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await fs.rm(taken, { force: true });
  }
}

async function names(directory: string): Promise<string[]> {
  try {
    return await fs.readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw unusable(directory, error);
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

function unknown(name: string, version: number): FairleadError {
  return modelError('E_MODEL_UNKNOWN', `there is no version ${version} of "${name}"`);
}

function unusable(path: string, cause: unknown): FairleadError {
  if (cause instanceof FairleadError) return cause;
  return modelError(
    'E_MODEL_REGISTRY',
    `${path} cannot be read or written (${codeOf(cause) ?? 'unknown cause'})`,
    cause,
  );
}
