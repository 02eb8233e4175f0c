import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, realpathSync, watch } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

export interface FileWatchOptions {
  /** Told once per change, when the files have kept still for `settleMs`. */
  readonly changed: () => void;
  readonly log: Log;
  /** How long files must stay the same before a change counts, so that a file half written is not taken. Default 250. */
  readonly settleMs?: number;
  /** How often the files are looked at whatever the system tells. Default 5,000. */
  readonly pollMs?: number;
}

/** What stands for the content of a file that cannot be read. */
const MISSING = 'missing';

/**
 * Watches the content of a few files. The system's notices come from the folders, of the names and of what links lead
 * to, because editors and Kubernetes (`..data`) put another file in the place of the old one; they only say when to look.
 * Where there are no notices (network file systems, no watches left) polling is enough.
 */
export class FileWatch {
  readonly #o: FileWatchOptions;
  readonly #settleMs: number;
  readonly #folders = new Map<string, FSWatcher>();
  readonly #poll: NodeJS.Timeout;
  #files: readonly string[] = [];
  /** Digest of the content by file, as it was last told of. */
  #known = new Map<string, string>();
  /** What was found last, if it differs from that. */
  #found: ReadonlyMap<string, string> | undefined;
  #stamps = '';
  #soon: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  constructor(files: readonly string[], options: FileWatchOptions) {
    this.#o = options;
    this.#settleMs = options.settleMs ?? 250;
    this.watch(files);
    this.#poll = setInterval(() => void this.#look(), options.pollMs ?? 5_000).unref();
  }

  /** Watches these files from now on; those that are new are known as they are now. */
  watch(files: readonly string[]): void {
    this.#files = [...new Set(files.map((file) => resolve(file)))];
    this.#known = new Map(this.#files.map((file) => [file, this.#known.get(file) ?? digestNow(file)]));
    this.#found = undefined;
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    this.#disarm();
  }

  /** Looks once, a little later: notices come in flocks, and a folder may be busy with other files. */
  #lookSoon(): void {
    if (this.#closed || this.#soon !== undefined) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      void this.#look();
    }, this.#settleMs);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const files = this.#files;
    const stamps = (await Promise.all(files.map(stampOf))).join('\n');
    // Twice the same: then the first look has seen to it.
    const digests = stamps === this.#stamps && this.#found === undefined ? undefined : await digestsOf(files);
    this.#looking = false;
    this.#stamps = stamps;
    if (this.#closed || files !== this.#files) return;
    if (digests !== undefined) this.#compare(digests);
  }

  #compare(digests: ReadonlyMap<string, string>): void {
    if (sameEntries(digests, this.#known)) {
      this.#found = undefined;
    } else if (this.#found !== undefined && sameEntries(digests, this.#found)) {
      this.#known = new Map(digests);
      this.#found = undefined;
      this.#arm(); // links may lead elsewhere now
      this.#o.changed();
    } else {
      this.#found = digests;
      this.#lookSoon();
    }
  }

  #arm(): void {
    this.#disarm();
    for (const file of this.#files) {
      this.#armFolder(dirname(file));
      try {
        this.#armFolder(dirname(realpathSync(file)));
      } catch (error) {
        this.#o.log.debug({ file, code: codeOf(error) }, 'a watched file is not there');
      }
    }
  }

  #armFolder(folder: string): void {
    if (this.#folders.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      watcher.on('error', () => watcher.close()); // the folder is gone: polling goes on
      this.#folders.set(folder, watcher);
    } catch (error) {
      this.#o.log.debug({ folder, code: codeOf(error) }, 'no notices for this folder: it is polled');
    }
  }

  #disarm(): void {
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }
}

/** Changes whenever a file was replaced or written to, without reading it. */
async function stampOf(file: string): Promise<string> {
  try {
    const real = await realpath(file);
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(real, { bigint: true });
    return [real, dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return MISSING;
  }
}

async function digestsOf(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return new Map(
    await Promise.all(
      files.map(async (file): Promise<[string, string]> => {
        const content = await readFile(file).catch(() => undefined); // not there: that is an answer too
        return [file, content === undefined ? MISSING : digestOf(content)];
      }),
    ),
  );
}

function digestNow(file: string): string {
  try {
    return digestOf(readFileSync(file));
  } catch {
    return MISSING;
  }
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
