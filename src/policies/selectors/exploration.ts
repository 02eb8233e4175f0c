import type { TargetWindow } from '../../core/target-window.ts';

/** Over all targets together not more than this. */
const MOST = 0.05;
/** Above this load a target is not sent anything to learn from it. */
const MOST_LOAD = 0.8;
const IDLE_MS = 1_000;
/** A target that was not heard of for a while is this much likelier to be tried: a heartbeat. */
const HEARTBEAT = 10;
/** Errors above this: the target is tried once per backoff. */
const FAILING = 0.3;
const FAILING_GAP_MS = 1_000;

/** The least probability with which a target is chosen, so that it does not look bad for ever because nobody looks. */
export function explorationFloor(
  share: number,
  window: TargetWindow,
  load: number,
  silent: boolean,
  relativeCost: number,
  now: number,
): number {
  if (silent) return 0;
  const idle = now - window.lastSentAt;
  if (window.inFlight > 0 && load > MOST_LOAD) return 0;
  if (window.errors > FAILING) return window.inFlight === 0 && idle > FAILING_GAP_MS ? share * HEARTBEAT : 0;
  if (idle > IDLE_MS) return share * HEARTBEAT;
  // What is known to be bad is tried less often, so that trying it costs about the same whatever it is.
  return relativeCost > 1 ? share / relativeCost : share;
}

/** Scales floors down where they are too much together; gives their sum. */
export function boundFloors(floors: Float64Array, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i += 1) total += floors[i] as number;
  if (total <= MOST) return total;
  for (let i = 0; i < count; i += 1) floors[i] = ((floors[i] as number) * MOST) / total;
  return MOST;
}
