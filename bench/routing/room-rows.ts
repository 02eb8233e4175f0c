import { FEATURE_COUNT, FEATURES, ROOM } from '../../src/models/features.ts';
import type { LabelledRows } from '../../src/models/training/boost.ts';
import type { Observer } from '../../src/simulation/run.ts';
import { simulate } from '../../src/simulation/simulation.ts';
import { worldOf } from '../../src/simulation/world/families.ts';
import { type SimTarget, stepOf } from '../../src/simulation/world/world.ts';
import { type Policy, selectorOf } from './policies.ts';
import type { TraceOptions } from './traces.ts';

/** Ticks between two rows of a target, and the least rate of answers of one that is looked at, per second. */
const ROOM_EVERY_TICKS = 7;
const LEAST_RATE = 3;
const RATE_COLUMN = FEATURES.findIndex(({ name }) => name === 'ack_rate');
const ROOM_COLUMN = FEATURES.findIndex(({ name }) => name === ROOM);

/** Windows have filled by then. */
const ROOM_FROM_MS = 2_000;

export type RoomOptions = Omit<TraceOptions, 'sample' | 'lookAhead'>;

/**
 * Rows to learn the room of a target from: its features at a tick, and the logarithm of the true room less what arithmetic
 * makes of it. Of targets, not of sends: those that get few are where arithmetic errs most.
 */
export function roomRows({ families, firstSeed, seeds, length, policies, scorer }: RoomOptions): LabelledRows {
  const features: Float32Array[] = [];
  const labels: number[] = [];
  let turn = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    for (const family of families) {
      const policy = policies[turn % policies.length] as Policy;
      const { gateways } = policy;
      turn += 1;
      const world = worldOf(family, seed, length);
      let ticks = 0;
      const observer: Observer = {
        ticked(_gateway, selector, atMs) {
          ticks += 1;
          const snapshot = selector.snapshot();
          if (ticks % ROOM_EVERY_TICKS !== 0 || atMs < ROOM_FROM_MS || snapshot === undefined) return;
          for (const [index, target] of world.targets.entries()) {
            const from = index * snapshot.classes * FEATURE_COUNT;
            const row = snapshot.features.slice(from, from + FEATURE_COUNT);
            if ((row[RATE_COLUMN] as number) < Math.log1p(LEAST_RATE)) continue;
            features.push(row);
            labels.push(Math.log(Math.max(1, trueRoom(target, atMs) / gateways)) - (row[ROOM_COLUMN] as number));
          }
        },
      };
      simulate({ world, gateways, observer, selectorOf: selectorOf(policy, { scorer, telemetry: true }) });
    }
  }
  const all = new Float32Array(features.length * FEATURE_COUNT);
  for (const [i, row] of features.entries()) all.set(row, i * FEATURE_COUNT);
  return { features: all, labels: Float32Array.from(labels), weights: new Float32Array(labels.length).fill(1) };
}

/** Events that fit into what cross-traffic leaves of a target, at its present speed. */
function trueRoom({ rttMs, extraRttMs, servers, perSecond, slow, cross }: SimTarget, atMs: number): number {
  const step = Math.min(slow.length - 1, stepOf(atMs));
  const factor = slow[step] as number;
  const free = Math.max(0.05, 1 - (cross[step] as number));
  const serviceMs = (1_000 * servers * factor) / perSecond;
  const usualMs = rttMs + (extraRttMs[step] as number) + serviceMs;
  return Math.max(1, (usualMs * free * perSecond) / factor / 1_000);
}
