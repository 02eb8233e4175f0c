import type { Environment } from '../components.ts';
import { delay } from '../core/connection.ts';
import { messageOf } from '../core/errors.ts';
import { targetRemoved } from '../pipeline/leg.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { SourceLine, TargetLine } from './lines.ts';

/** How often a source on its way out is looked at, in ms. */
const LOOK_MS = 10;

/**
 * A target on its way out. With a successor it sends what it can at once and hands the rest over, in order, so that a key
 * never overtakes itself; without one it sends until its lane is empty, and what is left at the deadline is dead-lettered.
 */
export class LeavingTarget {
  readonly line: TargetLine;
  /** Resolves when the successor may send. */
  readonly handedOver: Promise<void>;
  /** Resolves when it is closed. Never rejects. */
  readonly done: Promise<void>;
  #successor: TargetLine | undefined;
  #retiring = false;

  constructor(
    line: TargetLine,
    options: { successor?: TargetLine; deadlineMs: number; pipeline: Pipeline; env: Environment },
  ) {
    this.line = line;
    line.lane.leave();
    this.#successor = options.successor;
    const over = this.#empty(options.deadlineMs, options.pipeline, options.env);
    this.done = over.then(() => line.close(options.env.log));
    this.handedOver = line.exclusive ? this.done : over;
  }

  get name(): string {
    return this.line.name;
  }

  /** A later reload brought a target of this name back. */
  adopt(successor: TargetLine): void {
    this.#successor = successor;
    if (this.#retiring) this.line.lane.hurry('idle');
  }

  async #empty(deadlineMs: number, pipeline: Pipeline, { clock, log }: Environment): Promise<void> {
    const { lane, before, name } = this.line;
    await before;
    this.#retiring = true;
    const leaving = lane.retire(this.#successor === undefined ? 'empty' : 'idle');
    const cancel = clock.after(deadlineMs, () => lane.hurry('none'));
    const rest = await leaving;
    cancel();
    if (this.#successor !== undefined) this.#successor.lane.inherit(rest);
    else if (rest.length > 0) {
      log.warn({ target: name, legs: rest.length, code: 'E_TARGET_REMOVED' }, 'a removed target could not be drained');
      for (const leg of rest) {
        if (leg.attemptOf === undefined) pipeline.failed(leg, targetRemoved(name), clock.now());
        else leg.attemptOf.returned(leg, clock.now());
      }
    }
  }
}

/**
 * Sees a source out: what is in flight has until the deadline, then its acknowledgements are flushed and it is closed; what
 * is unsettled then goes back to the broker. `stopping` cuts it short: the gateway closes everything itself.
 */
export async function seeOut(
  line: SourceLine,
  options: { deadlineMs: number; pipeline: Pipeline; env: Environment; stopping: AbortSignal },
): Promise<void> {
  const { deadlineMs, pipeline, env, stopping } = options;
  const { clock, log } = env;
  const { name, intake, source } = line;
  if (line.opened) {
    const deadline = clock.now() + deadlineMs;
    const open = (): number => intake.counters.inFlight - pipeline.restingOf(name);
    const goesOn = (): boolean => open() > 0 && clock.now() < deadline && !stopping.aborted;
    do {
      while (goesOn()) await delay(LOOK_MS, stopping, clock).catch(() => undefined); // stopping: seen above
      await source.drained().catch((error) => log.error({ source: name, error: messageOf(error) }, 'draining failed'));
    } while (goesOn());
    if (stopping.aborted) return;
    const left = intake.counters.inFlight;
    if (left > 0) log.warn({ source: name, left }, 'a source was closed with unsettled deliveries: they come again');
    pipeline.detach(intake);
  }
  await line.close(log);
}
