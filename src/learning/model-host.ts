import type { ModelConfig } from '../config/types.ts';
import type { Clock } from '../core/clock.ts';
import { FairleadError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Scorer } from '../core/scorer.ts';
import { loadModelFile } from '../models/measuring.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { type LoadedModel, ModelSlot } from '../models/slot.ts';

/** How often the registry is asked for another version in force, and a load that failed is tried again. */
const LOOK_MS = 2_000;

export interface HostStatus {
  readonly name: string;
  /** Of the registry, in force; undefined for a file. */
  readonly version?: number | undefined;
  readonly sha256?: string | undefined;
  /** Version that is tried out beside it. */
  readonly trial?: number | undefined;
  /** Why the last load failed; what was loaded before goes on. */
  readonly lastError?: { readonly code: string; readonly message: string } | undefined;
}

/** What a model is loaded from at the moment. */
interface Origin {
  readonly path: string;
  readonly sha256: string | undefined;
  readonly version: number | undefined;
}

/**
 * A model of the configuration as the gateway runs it: loads what is in force in its registry, or its file, follows changes,
 * and tells `onChange` when another scorer is to be used. Where nothing can be loaded there is no scorer, and choices go on
 * without.
 */
export class ModelHost {
  readonly name: string;
  readonly #config: ModelConfig;
  readonly #registry: ModelRegistry | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #slot = new ModelSlot();
  #origin: Origin | undefined;
  #trial: { readonly version: number; readonly model: LoadedModel } | undefined;
  /** The trial scores. */
  #preferred = false;
  #lastError: HostStatus['lastError'];
  #cancel: (() => void) | undefined;
  #closed = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(
    config: ModelConfig,
    parts: { registry: ModelRegistry | undefined; clock: Clock; log: Log; onChange: () => void },
  ) {
    this.name = config.name;
    this.#config = config;
    this.#registry = parts.registry;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#onChange = parts.onChange;
  }

  /** What scores now: the version in force, or the one that is tried out where that is preferred. */
  get scorer(): Scorer | undefined {
    if (this.#preferred) return this.#trial?.model;
    return this.#origin === undefined ? undefined : this.#slot.current;
  }

  get status(): HostStatus {
    return {
      name: this.name,
      version: this.#origin?.version,
      sha256: this.#origin === undefined ? undefined : this.#slot.current?.sha,
      trial: this.#trial?.version,
      lastError: this.#lastError,
    };
  }

  /** Resolves when a first load has been tried. */
  start(): Promise<void> {
    return this.look();
  }

  /** Loads what is in force by now, if it is not loaded yet. Never rejects. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  /** Loads a version that is to be tried out. It does not score until it is preferred. Rejects with `E_MODEL_…`. */
  async prepare(version: number): Promise<void> {
    await this.drop();
    const listed = await this.#registry?.version(this.name, version);
    if (listed === undefined || this.#closed) return;
    const model = await loadModelFile(listed.path, listed.sha256);
    if (this.#closed) await model.close();
    else this.#trial = { version, model };
  }

  /** Has the version that is tried out score, or the one in force: a pointer, nothing is loaded. */
  prefer(trial: boolean): void {
    const preferred = trial && this.#trial !== undefined;
    if (preferred === this.#preferred) return;
    this.#preferred = preferred;
    this.#onChange();
  }

  /** Lets go of the version that is tried out. */
  async drop(): Promise<void> {
    this.prefer(false);
    const trial = this.#trial;
    this.#trial = undefined;
    await trial?.model.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#looking;
    await this.drop();
    await this.#slot.close();
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    this.#cancel?.();
    try {
      const origin = await this.#inForce();
      if (origin !== undefined && (origin.path !== this.#origin?.path || origin.sha256 !== this.#origin.sha256)) {
        await this.#slot.load(() => loadModelFile(origin.path, origin.sha256));
        this.#slot.swap();
        this.#origin = origin;
        this.#log.info({ model: this.name, version: origin.version, sha256: this.#slot.current?.sha }, 'model loaded');
        this.#onChange();
      } else if (origin === undefined && this.#origin !== undefined) {
        this.#origin = undefined;
        this.#log.info({ model: this.name }, 'no version of the model is in force any more');
        this.#onChange();
      }
      this.#lastError = undefined;
    } catch (error) {
      const code = error instanceof FairleadError ? error.code : 'E_MODEL_DATA';
      const isNews = this.#lastError?.message !== messageOf(error);
      this.#lastError = { code, message: messageOf(error) };
      const goesOn = this.#slot.current === undefined ? 'choices go on without it' : 'the one before goes on';
      if (isNews) this.#log.error({ model: this.name, code }, `model not loaded, ${goesOn}: ${messageOf(error)}`);
    }
    if (!this.#closed) this.#cancel = this.#clock.after(LOOK_MS, () => void this.look());
  }

  async #inForce(): Promise<Origin | undefined> {
    const active = await this.#registry?.active(this.name);
    if (active !== undefined) return active;
    const { path, sha256 } = this.#config;
    return path === undefined ? undefined : { path, sha256, version: undefined };
  }
}
