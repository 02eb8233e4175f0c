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
/** After a failure a target is left alone for so many times as long as that took: whoever waits for it loses no more than a third. */
const REST = 2;

/**
 * The least probability with which a target that is not silent is chosen, so that it does not look bad for ever because
 * nobody looks: `share`, or more than that for one that was not heard of, or nothing.
 *
 * @param idleMs Since the last send. @param failedMs How long that took to fail; 0 where it did not.
 */
export function standingFloor(
  share: number,
  inFlight: number,
  idleMs: number,
  errors: number,
  load: number,
  failedMs: number,
): number {
  if (inFlight > 0 && load > MOST_LOAD) return 0;
  if (failedMs > 0 && idleMs < (1 + REST) * failedMs) return 0;
  if (errors > FAILING) return inFlight === 0 && idleMs > FAILING_GAP_MS ? share * HEARTBEAT : 0;
  return idleMs > IDLE_MS ? share * HEARTBEAT : share;
}

/**
 * What is left of `share` at a target that costs so much more than the best, which costs `least`. What is known to be bad is
 * tried less often, so that trying it costs about the same whatever it is.
 */
export function affordable(above: number, least: number): number {
  return above > least ? least / above : 1;
}

/** Scales floors down where they are `total`, too much, together; gives their sum. */
export function boundFloors(floors: Float64Array, count: number, total: number): number {
  if (total <= MOST) return Math.max(0, total);
  for (let i = 0; i < count; i += 1) floors[i] = ((floors[i] as number) * MOST) / total;
  return MOST;
}
