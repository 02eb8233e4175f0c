import { stat } from 'node:fs/promises';
import { codeOf, FairleadError } from '../core/errors.ts';
import { filesOf, readRecords } from './read.ts';
import type { DecisionRecord, FileHeader, SnapshotRecord } from './records.ts';

/** The last records of one choice, oldest first. */
export interface RecentChoice {
  readonly decisions: readonly DecisionRecord[];
  readonly snapshots: readonly SnapshotRecord[];
}

/** The last records of the gateway that wrote last. */
export interface RecentRecords {
  /** Of its newest file. */
  readonly header: FileHeader;
  /** By name. */
  readonly choices: ReadonlyMap<string, RecentChoice>;
}

/** How often it is begun anew, where a file is gone before it was its turn. */
const TRIES = 3;

export interface RecentOptions {
  /** How far back from its last decision a choice is told of, in ms. */
  readonly spanMs: number;
  /** Most decisions of a choice. */
  readonly most: number;
}

/**
 * What was recorded in the last `spanMs` by the run that wrote last; other runs in the directory are other gateways, or this
 * one before it was restarted. Undefined where there is none. Rejects with `E_TELEMETRY_READ`.
 */
export async function recentRecords(directory: string, options: RecentOptions): Promise<RecentRecords | undefined> {
  for (let tries = 1; ; tries += 1) {
    const files = await lastRun(directory);
    try {
      return await recordsOf(files, options);
    } catch (error) {
      if (tries === TRIES || !isGone(error)) throw error;
    }
  }
}

async function recordsOf(files: readonly string[], options: RecentOptions): Promise<RecentRecords | undefined> {
  let header: FileHeader | undefined;
  const choices = new Map<string, Recent>();
  for (const file of files.toReversed()) {
    const found = await read(file, options);
    if (found.header === undefined) continue;
    header ??= found.header;
    for (const [name, recent] of found.choices) {
      choices.set(name, choices.get(name)?.after(recent) ?? recent);
    }
    const newest = Math.max(...[...choices.values()].map(({ lastAt }) => lastAt));
    if (found.header.at <= newest - options.spanMs) break;
  }
  for (const recent of choices.values()) recent.trim();
  return header && { header, choices };
}

/** A file was deleted, or made into Parquet, after the directory had been listed. */
function isGone(error: unknown): boolean {
  return error instanceof FairleadError && codeOf(error.cause) === 'ENOENT';
}

/** The files of the run whose last one was written last, oldest first. */
async function lastRun(directory: string): Promise<string[]> {
  const runs = new Map<string, string[]>();
  for (const file of await filesOf(directory)) {
    const run = file.replace(/-\d+\.[a-z.]+$/, '');
    runs.set(run, [...(runs.get(run) ?? []), file]);
  }
  let last: { readonly files: string[]; readonly at: number } | undefined;
  for (const files of runs.values()) {
    const at = await writtenAt(files.at(-1) as string);
    if (last === undefined || at >= last.at) last = { files, at };
  }
  return last?.files ?? [];
}

/** 0 where it has been deleted meanwhile. */
async function writtenAt(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function read(
  file: string,
  options: RecentOptions,
): Promise<{ readonly header: FileHeader | undefined; readonly choices: ReadonlyMap<string, Recent> }> {
  let header: FileHeader | undefined;
  const choices = new Map<string, Recent>();
  for await (const record of readRecords(file)) {
    if ('telemetry' in record) {
      header = record;
      continue;
    }
    const recent = choices.get(record.choice) ?? new Recent(options);
    choices.set(record.choice, recent);
    recent.add(record);
  }
  return { header, choices };
}

/** Keeps the end of what it is given. */
class Recent implements RecentChoice {
  decisions: DecisionRecord[] = [];
  snapshots: SnapshotRecord[] = [];
  readonly #options: RecentOptions;
  #trimmedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RecentOptions) {
    this.#options = options;
  }

  get lastAt(): number {
    return this.decisions.at(-1)?.ts ?? Number.NEGATIVE_INFINITY;
  }

  add(record: SnapshotRecord | DecisionRecord): void {
    if ('decision' in record) this.decisions.push(record);
    else this.snapshots.push(record);
    const { spanMs, most } = this.#options;
    const isMuch = this.decisions.length >= 2 * most || this.lastAt > this.#trimmedAt + spanMs;
    if (isMuch) this.trim();
  }

  /** With what came before it. */
  after({ decisions, snapshots }: RecentChoice): this {
    this.decisions = [...decisions, ...this.decisions];
    this.snapshots = [...snapshots, ...this.snapshots];
    return this;
  }

  trim(): void {
    const { spanMs, most } = this.#options;
    const from = this.lastAt - spanMs;
    this.decisions = this.decisions.slice(-most).filter(({ ts }) => ts >= from);
    const first = this.decisions[0]?.ts ?? Number.NEGATIVE_INFINITY;
    // The snapshot that the first decision refers to is somewhat older.
    this.snapshots = this.snapshots.filter(({ at }) => at >= first - spanMs / 10);
    this.#trimmedAt = this.lastAt;
  }
}
