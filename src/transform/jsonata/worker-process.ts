import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { encodeFrame, FrameReader, type Reply, type Request } from './frames.ts';

/** Heap of a worker. Beyond it V8 ends the process, and that is why it is one. */
const HEAP_MIB = 128;

/** What a worker process tells its owner. */
export interface WorkerEvents {
  ready(): void;
  results(reply: Reply, body: Buffer): void;
  /** It is gone, by whatever cause; nothing follows. */
  ended(reason: string): void;
}

/** One running worker process. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  #ended = false;
  #ready = false;

  constructor(events: WorkerEvents) {
    const { entry, flags } = program();
    const guards = [
      `--max-old-space-size=${HEAP_MIB}`,
      '--disable-proto=delete',
      '--disallow-code-generation-from-strings',
    ];
    this.#child = spawn(process.execPath, [...guards, ...flags, entry], { stdio: ['pipe', 'pipe', 'ignore'], env: {} });
    const reader = new FrameReader<Reply>();
    const end = (reason: string): void => {
      if (this.#ended) return;
      this.#ended = true;
      events.ended(reason);
    };
    this.#child.stdout?.on('data', (piece: Buffer) => {
      for (const { head, body } of this.#ended ? [] : reader.push(piece)) {
        if (this.#ready) events.results(head, body);
        else events.ready();
        this.#ready = true;
      }
    });
    this.#child.stdin?.on('error', () => undefined); // it ended while we wrote: `exit` tells
    this.#child.on('error', (error) => end(error.message));
    this.#child.on('close', (code, signal) => end(signal ?? `exit code ${code}`));
    // A gateway that is done does not wait for its workers.
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout]) (stream as unknown as { unref?(): void })?.unref?.();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(request: Request, parts: readonly Buffer[]): void {
    this.#child.stdin?.write(encodeFrame(request, parts));
  }

  /** Ends it whatever it is doing. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** From sources (tests, development) the worker needs the loader that runs TypeScript. */
function program(): { entry: string; flags: readonly string[] } {
  if (!import.meta.url.endsWith('.ts')) return { entry: path('./worker.js'), flags: [] };
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return { entry: path('./worker.ts'), flags: ['--import', loader] };
}

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
