import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../setup/eventually.ts';

/** The project's folder, from the sources as well as from what the benches compile. */
export function projectRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return here.includes(`${join('build', 'test')}`) ? resolve(here, '../../..') : resolve(here, '../..');
}

/** A gateway in a process of its own, on the built command, with a folder that outlives its kills. */
export class GatewayProcess {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'fairlead-fault-'));
  readonly #config: string;
  #child: ChildProcess | undefined;

  constructor(config: string) {
    this.#config = join(this.folder, 'gateway.yaml');
    writeFileSync(this.#config, config.replaceAll('$STORE', join(this.folder, 'store')));
  }

  start(): void {
    const log = openSync(join(this.folder, 'gateway.log'), 'a');
    const args = [join(projectRoot(), 'dist/main.js'), 'run', '-c', this.#config];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the gateway is not running');
    return pid;
  }

  /** Resolves with the exit code, or the signal's name. */
  async end(signal: NodeJS.Signals): Promise<number | string> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null)
      throw new Error(`the gateway had ended: ${this.log().slice(-2_000)}`);
    const ended = new Promise<number | string>((done) => {
      child.once('exit', (code, by) => done(code ?? by ?? 'unknown'));
    });
    child.kill(signal);
    return ended;
  }

  /** Waits for a condition; its failure carries the end of the gateway's log. */
  async until(condition: () => boolean, timeoutMs = 60_000, everyMs = 20): Promise<void> {
    await eventually(condition, { timeoutMs, everyMs }).catch((cause: unknown) => {
      throw new Error(`not in ${timeoutMs} ms; the gateway's log ends with: ${this.log().slice(-3_000)}`, { cause });
    });
  }

  log(): string {
    return readFileSync(join(this.folder, 'gateway.log'), 'utf8');
  }

  /** Resident memory in MiB, as the kernel counts it. */
  rssMiB(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
  }

  cleanup(): void {
    if (this.#child?.exitCode === null) this.#child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
