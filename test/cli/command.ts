import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from '../setup/eventually.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly input?: string | Buffer;
  /** Another build than that of this project. */
  readonly main?: string;
}

/** A running `fairlead`, the built command, as a user starts it. Killed at the end of the test. */
export class Command {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #stdout: Buffer[] = [];
  #stderr = '';

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const { FAIRLEAD_CONFIG: _, ...inherited } = process.env;
    this.#child = spawn(process.execPath, [options.main ?? MAIN, ...args], {
      cwd: options.cwd ?? tmpdir(),
      env: { ...inherited, ...options.env },
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#child.stdin?.end(options.input);
    this.#ended = once(this.#child, 'close');
    onTestFinished(() => {
      this.#child.kill('SIGKILL');
    });
  }

  get stdout(): string {
    return this.bytes.toString();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  get stderr(): string {
    return this.#stderr;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until stdout or stderr matches and returns the match; fails with all that was said. */
  until(pattern: RegExp, timeoutMs = 40_000): Promise<RegExpExecArray> {
    return eventually(
      () => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.#stderr);
        if (match === null) throw new Error(`no ${pattern} in:\n${this.stdout}\n${this.#stderr}`);
        return match;
      },
      { timeoutMs },
    );
  }

  async end(): Promise<Ended> {
    await this.#ended;
    return { code: this.#child.exitCode, stdout: this.stdout, stderr: this.#stderr };
  }
}

/** Runs a command to its end. */
export function fairlead(args: readonly string[], options?: CommandOptions): Promise<Ended> {
  return new Command(args, options).end();
}

/** A folder that is removed at the end of the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
