import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Log } from '../core/log.ts';

/** Heap of the process in MiB. */
const HEAP_MIB = 256;

/** Turns ended NDJSON files into Parquet, one at a time, in a process of its own. */
export class ParquetConverter {
  readonly #log: Log;
  #last: Promise<void> = Promise.resolve();
  #child: ChildProcess | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  add(file: string): void {
    this.#last = this.#last.then(async () => {
      const error = await this.#convert(file);
      // The records are safe: they stay as NDJSON, which readers take as well.
      if (error !== undefined) this.#log.warn({ file, error }, 'telemetry stays NDJSON: it could not be made Parquet');
    });
  }

  /** Resolves when all that was added is done. */
  idle(): Promise<void> {
    return this.#last;
  }

  /** Ends what is under way; its file stays NDJSON. */
  stop(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Resolves with what went wrong, if anything. */
  #convert(file: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const child = start();
      this.#child = child;
      child.on('message', ({ error }: { error?: string }) => resolve(error));
      child.on('error', ({ message }) => resolve(message));
      child.on('exit', (code, signal) => resolve(`the process ended with ${signal ?? `exit code ${code}`}`));
      child.send(file, (error) => {
        if (error !== null) resolve(error.message);
      });
    });
  }
}

/** From sources (tests, development) the process needs the loader that runs TypeScript. */
function start(): ChildProcess {
  const fromSources = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(fromSources ? './parquet-child.ts' : './parquet-child.js', import.meta.url));
  const loader = fromSources ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
  return fork(entry, [], {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`, ...loader],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
  });
}
