import type { Scorer } from '../core/scorer.ts';
import { modelError } from './contract.ts';

/** A scorer that can be put away. */
export interface LoadedModel extends Scorer {
  readonly sha: string;
  close(): Promise<void>;
}

/**
 * The place of the model in force. Another one is loaded and warmed beside it; `swap` then exchanges a pointer, between two
 * ticks. The one before is kept for `rollback`; older ones are closed.
 */
export class ModelSlot {
  #current: LoadedModel | undefined;
  #staged: LoadedModel | undefined;
  #previous: LoadedModel | undefined;
  /** Of the load that was asked for last: a slower one before it must not win. */
  #turn = 0;

  get current(): LoadedModel | undefined {
    return this.#current;
  }

  get staged(): LoadedModel | undefined {
    return this.#staged;
  }

  get previous(): LoadedModel | undefined {
    return this.#previous;
  }

  /** Loads a model beside the one in force. Rejects as `load` does, and changes nothing then. */
  async load(load: () => Promise<LoadedModel>): Promise<LoadedModel> {
    this.#turn += 1;
    const turn = this.#turn;
    const model = await load();
    if (turn !== this.#turn) {
      await model.close();
      throw modelError('E_MODEL_SUPERSEDED', 'another model was asked for while this one was loaded');
    }
    const replaced = this.#staged;
    this.#staged = model;
    await replaced?.close();
    return model;
  }

  /** Puts the staged model in force; undefined where there is none. Synchronous. */
  swap(): LoadedModel | undefined {
    if (this.#staged === undefined) return undefined;
    const oldest = this.#previous;
    [this.#previous, this.#current, this.#staged] = [this.#current, this.#staged, undefined];
    discard(oldest);
    return this.#current;
  }

  /** Puts the model before in force again, at once: it is still warm. Undefined, and nothing changed, where there is none. */
  rollback(): LoadedModel | undefined {
    if (this.#previous === undefined) return undefined;
    const failed = this.#current;
    [this.#current, this.#previous] = [this.#previous, undefined];
    discard(failed);
    return this.#current;
  }

  async close(): Promise<void> {
    this.#turn += 1;
    const models = [this.#current, this.#staged, this.#previous];
    [this.#current, this.#staged, this.#previous] = [undefined, undefined, undefined];
    for (const model of models) await model?.close();
  }
}

/** Closing waits for runs under way; the tick does not wait for it, and freeing memory is all that could fail. */
function discard(model: LoadedModel | undefined): void {
  model?.close().catch(() => undefined);
}
