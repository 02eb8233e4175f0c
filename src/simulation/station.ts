import { ServerPool } from './server-pool.ts';
import { hashed, lognormal, normal } from './world/random.ts';
import { type Fault, type SimTarget, STEP_MS, stepOf } from './world/world.ts';

/** What becomes of a send that reached a target. */
export type Answer = 'ok' | 'failed' | 'refused' | 'unknown' | 'nothing';

const CROSS_SIGMA = 0.6;

/** One target at work: its servers, cross-traffic and faults. `reach` has to be called in the order of time. */
export class Station {
  /** Of the last `reach`: when the answer leaves the target, and whether the event was processed there. */
  answerAt = 0;
  processed = false;
  readonly #target: SimTarget;
  readonly #pool: ServerPool;
  readonly #seed: number;
  readonly #meanMs: number;
  #fault = 0;
  #crossAt = 0;
  #crossCount = 0;

  constructor(target: SimTarget, seed: number) {
    this.#target = target;
    this.#seed = seed;
    this.#pool = new ServerPool(target.servers);
    this.#meanMs = (target.servers * 1_000) / target.perSecond;
    this.#nextCross(0);
  }

  /** Events waiting, cross-traffic included. */
  depth(at: number): number {
    this.#others(at);
    return this.#pool.waiting(at);
  }

  /** How long another arrival would wait for a server. */
  waitMs(at: number): number {
    this.#others(at);
    return this.#pool.startOf(at) - at;
  }

  reach(at: number, size: number, z: number, errorDraw: number): Answer {
    this.#others(at);
    this.processed = false;
    this.answerAt = at;
    const target = this.#target;
    const fault = this.#faultAt(at);
    if (fault !== undefined && at >= fault.startMs) return fault.kind === 'refused' ? 'refused' : 'nothing';
    if (errorDraw < (target.error[stepOf(at)] as number)) {
      this.answerAt = at + (target.serviceMs[size] as number);
      return 'failed';
    }
    if (this.#pool.waiting(at) >= target.queueLimit) return 'refused';
    const start = this.#pool.startOf(at);
    const end = this.#pool.take(
      start,
      at,
      this.#service(start, (target.serviceMs[size] as number) * lognormal(target.sigma, z)),
    );
    this.answerAt = end;
    this.processed = true;
    // Faults are far apart compared with a service time, except where a queue is long: then the next one is near enough.
    if (fault === undefined || end < fault.startMs) return 'ok';
    if (fault.kind === 'refused') {
      this.processed = false;
      this.answerAt = fault.startMs;
      return 'unknown';
    }
    return end < fault.endMs ? 'nothing' : 'ok';
  }

  /** The fault that is on, or else the next one. */
  #faultAt(at: number): Fault | undefined {
    const { faults } = this.#target;
    for (;;) {
      const fault = faults[this.#fault];
      if (fault === undefined || at < fault.endMs) return fault;
      if (fault.kind === 'refused') this.#pool.reset(fault.endMs);
      this.#fault += 1;
    }
  }

  #service(start: number, workMs: number): number {
    const { slow } = this.#target;
    return workMs * (slow[Math.min(slow.length - 1, stepOf(start))] as number);
  }

  /** Lets the cross-traffic up to now in. */
  #others(now: number): void {
    while (this.#crossAt <= now) {
      const at = this.#crossAt;
      const fault = this.#faultAt(at);
      const down = fault !== undefined && fault.kind === 'refused' && at >= fault.startMs;
      if (!down && this.#pool.waiting(at) < this.#target.queueLimit) {
        const start = this.#pool.startOf(at);
        const z = normal(hashed(this.#seed, this.#crossCount, 11), hashed(this.#seed, this.#crossCount, 12));
        this.#pool.take(start, at, this.#service(start, this.#meanMs * lognormal(CROSS_SIGMA, z)));
      }
      this.#nextCross(at);
    }
  }

  /** Cross-traffic is a Poisson process whose rate changes by step. */
  #nextCross(from: number): void {
    const { cross, slow, perSecond } = this.#target;
    this.#crossCount += 1;
    let left = -Math.log(1 - hashed(this.#seed, this.#crossCount, 10));
    let at = from;
    for (let step = stepOf(from); step < cross.length; step += 1) {
      // A share of the capacity that there is: others send less to a slow target, too.
      const perMs = ((cross[step] as number) * perSecond) / 1_000 / (slow[step] as number);
      const end = (step + 1) * STEP_MS;
      if ((end - at) * perMs >= left) {
        this.#crossAt = at + left / perMs;
        return;
      }
      left -= (end - at) * perMs;
      at = end;
    }
    this.#crossAt = Number.POSITIVE_INFINITY;
  }
}
