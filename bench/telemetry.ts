import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../src/core/clock.ts';
import type { DecisionSubject } from '../src/core/decision-observer.ts';
import { silentLog } from '../src/core/log.ts';
import type { Decision } from '../src/core/selector.ts';
import { FEATURES, SCHEMA_HASH } from '../src/models/features.ts';
import { createSelector } from '../src/selecting.ts';
import { Telemetry } from '../src/telemetry/telemetry.ts';
import { median } from './stats.ts';

/** Logical time between events and between ticks: 20,000 events per second, whatever the machine does. */
const EVENT_MS = 0.05;
const TICK_MS = 20;
/** Sends in flight. */
const IN_FLIGHT = 32;

/** What recording costs with so many targets. */
export interface TelemetryRow {
  readonly targets: number;
  /** CPU per event on the data path, of `decided` and `settled`; µs. */
  readonly observeUs: number;
  /** CPU per decision of writing it, its share of the snapshots included; µs. */
  readonly writeUs: number;
  /** On the disk, per decision, its share of the snapshots included. */
  readonly bytes: number;
}

/** Medians over the rounds, which are interleaved; every success is recorded. */
export async function benchTelemetry(options: {
  readonly events: number;
  readonly rounds: number;
  readonly targets: readonly number[];
}): Promise<readonly TelemetryRow[]> {
  const rounds = options.targets.map((): TelemetryRow[] => []);
  for (let round = -1; round < options.rounds; round += 1) {
    for (const [index, targets] of options.targets.entries()) {
      const measured = await measure(targets, options.events);
      if (round >= 0) rounds[index]?.push(measured);
    }
  }
  return options.targets.map((targets, index) => {
    const of = (read: (row: TelemetryRow) => number): number => median((rounds[index] as TelemetryRow[]).map(read));
    return {
      targets,
      observeUs: of(({ observeUs }) => observeUs),
      writeUs: of(({ writeUs }) => writeUs),
      bytes: of(({ bytes }) => bytes),
    };
  });
}

export function telemetryText(rows: readonly TelemetryRow[]): string {
  const lines = rows.map(({ targets, observeUs, writeUs, bytes }) => {
    const cells = [observeUs.toFixed(2), writeUs.toFixed(2), bytes.toFixed(0)];
    return `${String(targets).padStart(7)}${cells.map((cell) => cell.padStart(12)).join('')}\n`;
  });
  return `targets  observe µs    write µs       bytes\n${lines.join('')}`;
}

async function measure(count: number, events: number): Promise<TelemetryRow> {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  let now = 1_000;
  // Nothing is written before the end: the two costs are measured apart.
  const clock: Clock = { now: () => now, wall: () => 1_767_225_600_000 + now, after: () => () => undefined };
  const telemetry = new Telemetry({
    path,
    format: 'ndjson',
    maxFileBytes: 2 ** 26,
    maxBytes: 2 ** 32,
    sample: 1,
    rotateMs: 3_600_000,
    gateway: 'bench',
    instance: 'bench',
    schema: { hash: SCHEMA_HASH, features: FEATURES },
    clock,
    random: () => 0.5,
    log: silentLog,
    maxOpen: events,
  });
  const targets = Array.from({ length: count }, (_, i) => ({ name: `target-${i}`, protocol: 'kafka' }));
  const selector = createSelector(
    { by: 'round-robin', targets, telemetry: true },
    { now: clock.now, random: () => 0.5 },
  );
  const observer = telemetry.observe({ name: 'bench', selector, timeoutMs: 30_000 });
  const eligible = targets.map((_, index) => index);
  const handles = new Float64Array(IN_FLIGHT).fill(-1);
  const subjects = Array.from({ length: 1_024 }, (_, n) => ({
    event: { source: '/bench/telemetry', id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` },
    route: 'all',
    bytes: 1_000,
    attempt: 1,
  }));
  const decision = { by: 'rule', policy: 'round-robin', propensity: 1, explored: false, reason: undefined } as const;
  const decisions = targets.map((_, target): Decision => ({ ...decision, target }));
  let ticked = 0;
  let used = process.cpuUsage();
  let observed = 0;
  for (let n = 0; n < events; n += 1) {
    now += EVENT_MS;
    if (now - ticked >= TICK_MS) {
      observed += spent(used);
      selector.tick();
      ticked = now;
      used = process.cpuUsage();
    }
    const at = n % IN_FLIGHT;
    if (n >= IN_FLIGHT) observer.settled(handles[at] as number, 'ok', 5);
    handles[at] = observer.decided(
      subjects[n % 1_024] as DecisionSubject,
      eligible,
      decisions[n % count] as Decision,
      4,
    );
  }
  observed += spent(used);
  used = process.cpuUsage();
  await telemetry.close();
  const written = spent(used);
  const bytes = readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  rmSync(path, { recursive: true });
  if (telemetry.counters.written !== events) throw new Error(`${telemetry.counters.written} of ${events} written`);
  return { targets: count, observeUs: observed / events, writeUs: written / events, bytes: bytes / events };
}

function spent(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}
