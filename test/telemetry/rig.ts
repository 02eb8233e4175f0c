import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import type { DecisionSubject } from '../../src/core/decision-observer.ts';
import { type Log, silentLog } from '../../src/core/log.ts';
import type { Decision, FeatureSnapshot, SelectorTarget } from '../../src/core/selector.ts';
import { readRecords } from '../../src/telemetry/read.ts';
import type { RecordedChoice } from '../../src/telemetry/recorder.ts';
import type { DecisionRecord, FileHeader, SnapshotRecord } from '../../src/telemetry/records.ts';
import { Telemetry, type TelemetryOptions } from '../../src/telemetry/telemetry.ts';
import { eventually } from '../setup/eventually.ts';
import { FakeClock } from '../setup/fake-clock.ts';
import { seeded } from '../setup/seeded.ts';

/** A directory of its own for the running test, removed afterwards. */
export async function directory(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'fairlead-telemetry-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Features of the tests: two columns, of which the first tells tick, target and class. */
export const SCHEMA = { hash: 'abc', features: [{ name: 'first' }, { name: 'second' }] };

export const COLUMNS = 2;
export const CLASSES = 2;

/** What a choice of the tests knows, moved on by hand. */
export class FakeSelector {
  readonly targets: readonly SelectorTarget[];
  readonly #clock: Clock;
  tick = 0;
  #snapshot: FeatureSnapshot | undefined;
  readonly #features: Float32Array;

  constructor(clock: Clock, names: readonly string[]) {
    this.#clock = clock;
    this.targets = names.map((name, index) => ({ name, cost: index }));
    this.#features = new Float32Array(names.length * CLASSES * COLUMNS);
  }

  /** The next tick: its features are written over those of the one before. */
  next(scores?: Float32Array): void {
    this.tick += 1;
    for (let row = 0; row < this.#features.length / COLUMNS; row += 1) {
      this.#features[row * COLUMNS] = this.tick * 1_000 + row;
      this.#features[row * COLUMNS + 1] = Math.fround(0.1 * row);
    }
    const rows = this.targets.length * CLASSES;
    this.#snapshot = {
      tick: this.tick,
      at: this.#clock.now(),
      rows,
      classes: CLASSES,
      columns: COLUMNS,
      features: this.#features,
      scores,
      model: scores === undefined ? undefined : 'f00d',
    };
  }

  snapshot(): FeatureSnapshot | undefined {
    return this.#snapshot === undefined ? undefined : { ...this.#snapshot };
  }

  sizeClass(bytes: number): number {
    return bytes > 1_000 ? 1 : 0;
  }
}

export interface Rig {
  readonly clock: FakeClock;
  readonly path: string;
  readonly telemetry: Telemetry;
  choice(name: string, names?: readonly string[]): RecordedChoice & { readonly selector: FakeSelector };
}

export async function rig(options: Partial<TelemetryOptions> = {}): Promise<Rig> {
  const clock = new FakeClock();
  const where = options.path ?? (await directory());
  const telemetry = new Telemetry({
    path: where,
    format: 'ndjson',
    maxFileBytes: 2 ** 22,
    maxBytes: 2 ** 24,
    sample: 1,
    rotateMs: 3_600_000,
    gateway: 'mesh',
    instance: 'one',
    schema: SCHEMA,
    clock,
    random: seeded(1),
    log: silentLog,
    ...options,
  });
  return {
    clock,
    path: where,
    telemetry,
    choice: (name, names = ['eu', 'us']) => ({ name, timeoutMs: 2_000, selector: new FakeSelector(clock, names) }),
  };
}

/** Lets the writer run until everything that is due is on the disk. */
export async function flushed({ clock, telemetry }: Rig, written: number): Promise<void> {
  await eventually(async () => {
    await clock.advance(500);
    return telemetry.counters.written === written;
  });
}

/** An attempt for the `n`th event. */
export function subject(n: number, more: Partial<DecisionSubject> = {}): DecisionSubject {
  return { event: { source: '/tests', id: `e${n}` }, route: 'orders', bytes: 100, attempt: 1, ...more };
}

export function decision(target: number, more: Partial<Decision> = {}): Decision {
  return {
    target,
    by: 'analytic',
    policy: 'adaptive',
    propensity: 1,
    explored: false,
    reason: undefined,
    ...more,
  };
}

export interface Stored {
  readonly headers: FileHeader[];
  readonly snapshots: SnapshotRecord[];
  readonly decisions: DecisionRecord[];
}

/** All records of a directory, apart. */
export async function stored(paths: string | readonly string[]): Promise<Stored> {
  const found: Stored = { headers: [], snapshots: [], decisions: [] };
  for await (const record of readRecords(paths)) {
    if ('telemetry' in record) found.headers.push(record);
    else if ('decision' in record) found.decisions.push(record);
    else found.snapshots.push(record);
  }
  return found;
}

export async function files(where: string): Promise<string[]> {
  return (await readdir(where)).sort().map((name) => path.join(where, name));
}

/** A log that keeps what is said from `warn` on. */
export function keepingLog(): { readonly log: Log; readonly said: string[] } {
  const said: string[] = [];
  const keep = (fields: object, message: string): void => {
    said.push(`${(fields as { code?: string }).code ?? ''} ${message}`.trim());
  };
  const log: Log = { ...silentLog, info: keep, warn: keep, error: keep, child: () => log };
  return { log, said };
}
