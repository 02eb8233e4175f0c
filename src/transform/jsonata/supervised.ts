import { equalJitter, RECONNECT } from '../../core/backoff.ts';
import type { Clock, Random } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { TransformFailure } from '../../core/transform.ts';
import type { Reply, Request } from './frames.ts';
import type { JsonataInput, JsonataProgram } from './program.ts';
import { WorkerProcess } from './worker-process.ts';

export interface SupervisionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Inputs of one call. `results` grows in order; what stands at its end is next. */
interface Job {
  readonly program: JsonataProgram;
  readonly inputs: readonly JsonataInput[];
  readonly results: (Buffer | TransformFailure)[];
  readonly resolve: (results: readonly (Buffer | TransformFailure)[]) => void;
  /** Inputs that stand in chunks or have results. */
  posted: number;
  /** One of the inputs that have no result ended a worker: each runs by itself until it is known which. */
  suspect: boolean;
}

/** A part of a job that the worker has. */
interface Chunk {
  readonly job: Job;
  readonly alone: boolean;
  left: number;
}

/** Chunks at the worker at once: while it works on one, the next lies in its pipe. */
const MAX_POSTED = 2;
/** Programs that a process keeps compiled. */
const MAX_PROGRAMS = 256;
const START_MS = 30_000;
/** On top of twice the time of a program: an evaluation that can stop itself has done so by then. */
const GRACE_MS = 250;

/**
 * A worker process that is replaced when it dies or is stuck. What it had not answered is evaluated again, input by
 * input, and the one that ends a second worker has failed; so an input is only blamed for what it does alone.
 */
export class SupervisedWorker {
  readonly #o: SupervisionOptions;
  readonly #jobs: Job[] = [];
  readonly #chunks: Chunk[] = [];
  /** Numbers of the programs that the process knows, by what they are: a reload makes new objects of the same. */
  readonly #programs = new Map<string, number>();
  #nextProgram = 0;
  #process: WorkerProcess | undefined;
  #ready = false;
  #closed = false;
  #failedStarts = 0;
  #stuck = false;
  #progress = 0;
  #cancelWatch: (() => void) | undefined;

  constructor(options: SupervisionOptions) {
    this.#o = options;
  }

  /** The id of the process, while there is one. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  evaluate(program: JsonataProgram, inputs: readonly JsonataInput[]): Promise<readonly (Buffer | TransformFailure)[]> {
    if (inputs.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      this.#jobs.push({ program, inputs, results: [], resolve, posted: 0, suspect: false });
      this.#go();
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancelWatch?.();
    this.#process?.kill();
  }

  #go(): void {
    if (this.#closed) return;
    if (this.#process === undefined) this.#start();
    else if (this.#ready) this.#post();
  }

  #start(): void {
    this.#ready = false;
    this.#stuck = false;
    this.#programs.clear();
    const started: WorkerProcess = new WorkerProcess({
      ready: () => {
        this.#ready = true;
        this.#failedStarts = 0;
        this.#moved();
        this.#post();
      },
      results: (reply, body) => this.#take(reply, body),
      ended: (reason) => this.#ended(reason),
    });
    this.#process = started;
    this.#moved();
  }

  #post(): void {
    for (const job of this.#jobs) {
      while (this.#chunks.length < MAX_POSTED && job.posted < job.inputs.length) {
        if (this.#chunks.some(({ alone }) => alone) || (job.suspect && this.#chunks.length > 0)) return;
        const left = job.suspect ? 1 : job.inputs.length - job.posted;
        this.#process?.send(this.#request(job, left), dataOf(job.inputs.slice(job.posted, job.posted + left)));
        job.posted += left;
        if (this.#chunks.push({ job, alone: job.suspect, left }) === 1) this.#moved();
      }
      if (this.#chunks.length >= MAX_POSTED) return;
    }
  }

  #request({ program, inputs, posted }: Job, count: number): Request {
    const { expression, timeoutMs, maxBytes, usesEvent } = program;
    const chosen = inputs.slice(posted, posted + count);
    return {
      ...this.#name({ expression, timeoutMs, maxBytes }),
      lengths: chosen.map(({ data }) => data?.length ?? -1),
      ...(usesEvent ? { events: chosen.map(({ event }) => event) } : {}),
    };
  }

  /** The number of a program; with what it is when the process does not know it, and what it may forget then. */
  #name(define: NonNullable<Request['define']>): Pick<Request, 'program' | 'define' | 'forget'> {
    const text = JSON.stringify(define);
    const known = this.#programs.get(text);
    if (known !== undefined) return { program: known };
    const program = this.#nextProgram;
    this.#nextProgram += 1;
    const [oldest] = this.#programs;
    const full = this.#programs.size >= MAX_PROGRAMS && oldest !== undefined;
    if (full) this.#programs.delete(oldest[0]);
    this.#programs.set(text, program);
    return { program, define, ...(full ? { forget: oldest[1] } : {}) };
  }

  #take({ results }: Reply, body: Buffer): void {
    let at = 0;
    for (const result of results) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return;
      if (typeof result === 'number') {
        this.#result(chunk, Buffer.from(body.subarray(at, at + result)));
        at += result;
      } else {
        this.#result(chunk, new TransformFailure(result.code, result.message));
      }
    }
    this.#moved();
    this.#post();
  }

  #result(chunk: Chunk, result: Buffer | TransformFailure): void {
    const { job } = chunk;
    job.results.push(result);
    chunk.left -= 1;
    if (chunk.left === 0) this.#chunks.shift();
    if (job.results.length < job.inputs.length) return;
    this.#jobs.shift();
    job.resolve(job.results);
  }

  /** Something was done: the clock of what is under way begins anew. */
  #moved(): void {
    this.#progress += 1;
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    const chunk = this.#chunks[0];
    if (this.#closed || (this.#ready && chunk === undefined)) return;
    const ms = this.#ready && chunk !== undefined ? 2 * chunk.job.program.timeoutMs + GRACE_MS : START_MS;
    const seen = this.#progress;
    this.#cancelWatch = this.#o.clock.after(ms, () => {
      // This thread may be what was late: what lies in the pipe is read first.
      setImmediate(() =>
        setImmediate(() => {
          if (seen !== this.#progress) return;
          this.#stuck = true;
          this.#process?.kill();
        }),
      );
    });
  }

  #ended(reason: string): void {
    const stuck = this.#stuck;
    this.#process = undefined;
    this.#cancelWatch?.();
    if (this.#closed) return;
    const chunk = this.#chunks[0];
    this.#o.log.warn(
      { reason: stuck ? 'stuck' : reason, alone: chunk?.alone },
      'a JSONata worker ended and is replaced',
    );
    if (!this.#ready) {
      this.#failedStarts += 1;
      this.#cancelWatch = this.#o.clock.after(equalJitter(RECONNECT, this.#failedStarts, this.#o.random), () =>
        this.#go(),
      );
      return;
    }
    this.#ready = false;
    this.#chunks.length = 0;
    for (const job of this.#jobs) job.posted = job.results.length;
    if (chunk !== undefined) this.#blame(chunk, stuck, reason);
    if (this.#jobs.length > 0) this.#go();
  }

  #blame(chunk: Chunk, stuck: boolean, reason: string): void {
    const { job } = chunk;
    job.suspect = !chunk.alone;
    if (!chunk.alone) return;
    const failure = stuck
      ? new TransformFailure('E_TRANSFORM_TIMEOUT', `the expression took longer than ${job.program.timeoutMs} ms`)
      : new TransformFailure('E_TRANSFORM_MEMORY', `the worker died of it, most likely out of memory (${reason})`);
    job.posted += 1;
    this.#result(chunk, failure);
  }
}

function dataOf(inputs: readonly JsonataInput[]): Buffer[] {
  return inputs.flatMap(({ data }) => data ?? []);
}
