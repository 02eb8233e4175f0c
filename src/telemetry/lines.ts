import { SELECTORS, type SelectorTarget } from '../core/selector.ts';
import { EXPLORED, FLOAT, INT } from './decision-table.ts';
import type { ChoiceRecorder } from './recorder.ts';
import { DECIDED_BY, type FileHeader, OUTCOMES } from './records.ts';
import type { KeptSnapshot } from './snapshot-pool.ts';

/** Records as lines of JSON. Float arrays are base64 of little-endian float32: exact, and a tenth of the work. */
export function headerLine(header: FileHeader): string {
  return `${JSON.stringify(header)}\n`;
}

/** @param offset From monotonic to wall-clock milliseconds. */
export function snapshotLine(recorder: ChoiceRecorder, snapshot: KeptSnapshot, offset: number): string {
  const { name, selector } = recorder.choice;
  const { id, tick, at, classes, features, scores, model, lambda } = snapshot;
  const record = {
    snapshot: id,
    choice: name,
    tick,
    at: stamp(at + offset),
    targets: selector.targets.map((target) => target.name),
    classes,
    features: base64(features),
    ...(scores === undefined ? {} : { scores: base64(scores) }),
    ...(model === undefined ? {} : { model }),
    ...(lambda === undefined ? {} : { lambda }),
  };
  return `${JSON.stringify(record)}\n`;
}

/** @param offset From monotonic to wall-clock milliseconds. */
export function decisionLine(recorder: ChoiceRecorder, slot: number, offset: number): string {
  const { table } = recorder;
  const { targets } = recorder.choice.selector;
  const snapshot = recorder.snapshotOf(slot);
  const chosen = targets[table.int(slot, INT.chosen)] as SelectorTarget;
  const at = table.float(slot, FLOAT.at);
  const mean = table.float(slot, FLOAT.mean);
  const ackMs = table.float(slot, FLOAT.ackMs);
  const record = {
    decision: table.float(slot, FLOAT.sequence),
    choice: recorder.choice.name,
    ts: stamp(at + offset),
    event: table.float(slot, FLOAT.event),
    route: recorder.routeOf(slot),
    size: table.int(slot, INT.size),
    bytes: table.int(slot, INT.bytes),
    eligible: targets.filter((_, index) => table.isEligible(slot, index)).map(({ name }) => name),
    chosen: chosen.name,
    propensity: table.float(slot, FLOAT.propensity),
    explored: (table.int(slot, INT.flags) & EXPLORED) !== 0,
    by: DECIDED_BY[table.int(slot, INT.by)],
    policy: SELECTORS[table.int(slot, INT.policy)],
    snapshot: snapshot?.id ?? 0,
    ...(snapshot === undefined ? {} : { age: stamp(at - snapshot.at) }),
    ...(Number.isNaN(mean)
      ? {}
      : { predicted: { mean, q95: table.float(slot, FLOAT.q95), failure: table.float(slot, FLOAT.failure) } }),
    inFlight: table.int(slot, INT.inFlight),
    attempt: table.int(slot, INT.attempt),
    outcome: OUTCOMES[table.int(slot, INT.outcome)],
    ...(Number.isNaN(ackMs) ? {} : { ackMs: stamp(ackMs) }),
    cost: chosen.cost ?? 0,
    weight: recorder.weight(slot),
  };
  return `${JSON.stringify(record)}\n`;
}

/** Milliseconds to the microsecond. */
function stamp(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function base64(floats: Float32Array): string {
  return Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64');
}
