import { availableParallelism } from 'node:os';
import type { TransformFailure } from '../../core/transform.ts';
import type { JsonataEvaluator, JsonataInput, JsonataProgram } from './program.ts';
import { SupervisedWorker, type SupervisionOptions } from './supervised.ts';

const MAX_WORKERS = 4;

/**
 * A few worker processes, started when they are first needed. Each program has its worker, so that one that is stuck
 * does not hold up all others, and its calls are answered in order.
 */
export class JsonataPool implements JsonataEvaluator {
  readonly #workers: readonly SupervisedWorker[];
  readonly #of = new WeakMap<JsonataProgram, SupervisedWorker>();
  #next = 0;

  constructor(options: SupervisionOptions) {
    const count = Math.min(MAX_WORKERS, Math.max(1, availableParallelism() - 1));
    this.#workers = Array.from({ length: count }, () => new SupervisedWorker(options));
  }

  /** Ids of the processes that run. */
  get pids(): readonly number[] {
    return this.#workers.flatMap(({ pid }) => pid ?? []);
  }

  evaluate(program: JsonataProgram, inputs: readonly JsonataInput[]): Promise<readonly (Buffer | TransformFailure)[]> {
    let worker = this.#of.get(program);
    if (worker === undefined) {
      worker = this.#workers[this.#next % this.#workers.length] as SupervisedWorker;
      this.#next += 1;
      this.#of.set(program, worker);
    }
    return worker.evaluate(program, inputs);
  }

  /** Ends the workers at once; what they had is never answered. */
  close(): void {
    for (const worker of this.#workers) worker.close();
  }
}
