import type { SendResult, Target } from '../core/target.ts';
import { Alarm } from './alarm.ts';
import { isOver, reportOver } from './expiry.ts';
import type { Feeder, LaneOptions } from './lane-options.ts';
import { type AttemptOwner, type Failure, type LegLane, NO_RESULT, type PendingLeg } from './leg.ts';
import { Occupancy } from './occupancy.ts';
import { KeyedQueue } from './ordering.ts';
import { DelayQueue } from './queue.ts';
import { traceSend } from './tracing.ts';

/** How often a lane that may not send looks for legs past their `maxAge`. */
const LOOK_MS = 1_000;
/** How long all sends may be under way without an answer before what waits behind them had better go elsewhere. */
const STALL_MS = 250;

/** How long a lane on its way out goes on: until it is empty, until nothing can be sent at once, or no longer. */
export type Patience = 'empty' | 'idle' | 'none';

/** The bounded, ordered queue in front of one target, and the loop that sends from it in batches. */
export class Lane implements LegLane {
  readonly name: string;
  readonly target: Target;
  readonly #o: LaneOptions;
  readonly #queue = new KeyedQueue();
  readonly #waiting = new DelayQueue<PendingLeg>();
  readonly #sending: AbortController[] = [];
  readonly #feeders = new Set<Feeder>();
  /** When a send was last answered, or the first of several began. */
  #progressAt = 0;
  /** The last send that ended brought no answer. */
  #mute = false;
  #open = false;
  #stopped = false;
  /** True while the legs of a send are in no queue because its results are being looked at. */
  #settling = false;
  #leaving = false;
  #patience: Patience | undefined;
  #leave: ((rest: readonly PendingLeg[]) => void) | undefined;
  readonly #occupancy: Occupancy;
  readonly #alarm: Alarm;

  constructor(options: LaneOptions) {
    this.#o = options;
    const { maxEvents, maxBytes, clock, onPressure } = options;
    this.#occupancy = new Occupancy(maxEvents, maxBytes, (full) => onPressure(this, full));
    this.#alarm = new Alarm(clock, () => this.kick());
    this.name = options.name;
    this.target = options.target;
  }

  /** Legs waiting, backing off or under way. */
  get depth(): number {
    return this.#occupancy.depth;
  }

  get bytes(): number {
    return this.#occupancy.bytes;
  }

  get leaving(): boolean {
    return this.#leaving;
  }

  get full(): boolean {
    return this.#occupancy.full;
  }

  /** True while the target cannot be reached, or a policy holds it to be unavailable. */
  get down(): boolean {
    return this.#o.availability.down || this.#o.policies.some(({ down }) => down);
  }

  /** See `TargetFeatures.orderedBatch`. */
  get orderedBatch(): boolean {
    return this.#o.orderedBatch;
  }

  /** True when a send may begin, as far as connection and policies go. */
  reachable(now: number): boolean {
    return !this.#stopped && !this.#leaving && this.#admit(now) === 0;
  }

  /** True when nothing can be sent because no send is answered. */
  stalled(now: number): boolean {
    return this.#sending.length >= this.#o.limits.concurrency && now - this.#progressAt > STALL_MS;
  }

  /**
   * How many legs it can take that would be sent at once or next, for all that is known: what a choice among targets goes
   * by. Of a target that is down or does not answer it is one leg at a time, of a half-open circuit breaker what it wants for
   * its probes.
   */
  room(now: number): number {
    if (this.full || !this.reachable(now) || this.stalled(now)) return 0;
    const { limits, maxEvents, availability } = this.#o;
    const ahead = (limits.concurrency + 1) * limits.maxEvents;
    const most = availability.down || this.#mute ? 1 : Math.min(maxEvents, ahead, this.#most(now));
    return Math.max(0, most - this.depth);
  }

  /** The feeder is kicked when the lane may have room again. */
  feed(feeder: Feeder): void {
    this.#feeders.add(feeder);
  }

  unfeed(feeder: Feeder): void {
    this.#feeders.delete(feeder);
  }

  /** Gives back the attempts of `owner` that are not under way, those of a key in their order. */
  recall(owner: AttemptOwner): void {
    const now = this.#o.clock.now();
    this.#sift((leg) => {
      if (leg.attemptOf !== owner) return false;
      this.#end(leg);
      owner.returned(leg, now);
      this.#queue.release(leg);
      return true;
    });
    this.#occupancy.relieve();
  }

  /** Takes out an attempt that is not under way; false if it is, or has ended. */
  takeBack(attempt: PendingLeg): boolean {
    if (attempt.ended || attempt.taken) return false;
    this.#end(attempt);
    return true;
  }

  /** Takes a leg in; {@link kick} sends. */
  add(leg: PendingLeg): void {
    this.#queue.add(leg);
    this.#occupancy.add(leg);
  }

  /** Takes in attempts linked by `next`, of a key of which nothing else is in the lane on behalf of their owner. */
  addChain(head: PendingLeg): void {
    this.#queue.addChain(head);
    for (let leg: PendingLeg | undefined = head; leg !== undefined; leg = leg.next) this.#occupancy.add(leg);
  }

  /** Sends what may be sent now. */
  kick(): void {
    const { clock, limits } = this.#o;
    if (this.#stopped) return;
    const now = clock.now();
    for (let leg = this.#waiting.take(now); leg !== undefined; leg = this.#waiting.take(now)) this.#queue.again(leg);
    while (this.#patience !== 'none' && this.#queue.ready > 0 && this.#sending.length < limits.concurrency) {
      const wait = this.#admit(now);
      if (wait > 0) {
        // With a timer running this has been done since it was set: once per probe, not once per batch that comes in.
        // And while nothing is dequeued, `maxAge` is enforced here.
        if (!this.#alarm.set) this.#sift((leg) => this.#over(leg, now));
        this.#alarm.in(wait, now);
        break;
      }
      const batch = this.#nextBatch(now);
      if (batch.length > 0) this.#send(batch, now);
    }
    const next = this.#waiting.nextAt;
    if (next !== undefined) this.#alarm.in(next - now, now);
    this.#occupancy.relieve();
    this.#left();
  }

  /** The target has connected for the first time: sending may begin. */
  open(): void {
    this.#open = true;
    this.#feed();
    this.kick();
  }

  available(): void {
    const { availability, policies, clock } = this.#o;
    availability.available();
    for (const policy of policies) policy.available?.(clock.now());
    this.#feed();
    this.kick();
  }

  unavailable(): void {
    this.#o.availability.unavailable(this.#o.clock.now());
    this.#left();
  }

  /** From now on nothing is added: another lane takes its place, or none. What is in it goes on. */
  leave(): void {
    this.#leaving = true;
    this.#occupancy.open();
  }

  /**
   * After {@link leave}: sends on as long as `patience` says, lets running sends end, and resolves with the legs that have
   * not ended; those of a key are in their order. The patience may be changed by calling {@link hurry}.
   */
  retire(patience: Patience): Promise<readonly PendingLeg[]> {
    return new Promise((resolve) => {
      if (this.#stopped) resolve([]);
      this.#leave = resolve;
      this.hurry(patience);
    });
  }

  hurry(patience: Patience): void {
    this.#patience = patience;
    this.kick();
  }

  /** Takes over the legs of the lane before this one, ahead of its own. Only while it has not sent anything. */
  inherit(legs: readonly PendingLeg[]): void {
    const own = this.#takeOut();
    for (const leg of legs) this.add(leg);
    for (const leg of own) this.add(leg);
    this.kick();
  }

  /** Stops sending and aborts what is under way; what has not ended stays unsettled. */
  stop(): void {
    this.#stopped = true;
    this.#alarm.cancel();
    for (const abort of this.#sending) abort.abort();
    this.#leave?.([]);
  }

  /** Ends a lane that is on its way out, once its time has come. */
  #left(): void {
    const patience = this.#patience;
    if (patience === undefined || this.#stopped || this.#settling || this.#sending.length > 0) return;
    if (patience === 'empty' && this.depth > 0) return;
    if (patience === 'idle' && this.#open && !this.down && this.#queue.ready > 0) return;
    const rest = this.#takeOut();
    this.#stopped = true;
    this.#alarm.cancel();
    this.#leave?.(rest);
  }

  #takeOut(): PendingLeg[] {
    this.#occupancy.clear();
    return this.#queue.drain(this.#waiting.drain());
  }

  #admit(now: number): number {
    if (!this.#open) return LOOK_MS;
    let wait = this.#o.availability.admit(now);
    for (const policy of this.#o.policies) wait = Math.max(wait, policy.admit(now));
    return Math.min(wait, LOOK_MS);
  }

  /** Most legs of one send, by the policies. */
  #most(now: number): number {
    let most = Number.POSITIVE_INFINITY;
    for (const policy of this.#o.policies) most = Math.min(most, policy.limit?.(now) ?? most);
    return most;
  }

  #nextBatch(now: number): PendingLeg[] {
    const { limits, orderedBatch } = this.#o;
    const maxEvents = Math.min(limits.maxEvents, this.#most(now));
    const batch: PendingLeg[] = [];
    let bytes = 0;
    while (batch.length < maxEvents) {
      const head = this.#queue.take();
      if (head === undefined) break;
      if (this.#over(head, now)) continue;
      if (batch.length > 0 && bytes + head.bytes > limits.maxBytes) {
        this.#queue.putBack(head);
        break;
      }
      batch.push(head);
      head.taken = true;
      bytes += head.bytes;
      for (let leg = orderedBatch ? head.next : undefined; leg !== undefined; leg = leg.next) {
        if (batch.length >= maxEvents || bytes + leg.bytes > limits.maxBytes) break;
        if (leg.ended || leg.tracker.detached) continue;
        batch.push(leg);
        leg.taken = true;
        bytes += leg.bytes;
      }
    }
    return batch;
  }

  /** Ends a leg that is not to be sent any more. */
  #over(leg: PendingLeg, now: number): boolean {
    if (!isOver(leg, now)) return false;
    this.#end(leg);
    if (leg.attemptOf === undefined) reportOver(leg, this.#o.owner, now);
    else leg.attemptOf.returned(leg, now);
    this.#queue.release(leg);
    return true;
  }

  /** Takes out of what is ready all legs that `ended` has ended. */
  #sift(ended: (leg: PendingLeg) => boolean): void {
    for (let left = this.#queue.ready; left > 0; left -= 1) {
      const { ready } = this.#queue;
      const leg = this.#queue.take();
      if (leg === undefined) return;
      if (!ended(leg)) this.#queue.again(leg);
      // The end of one has made the next of its key ready: that is looked at as well.
      else if (this.#queue.ready === ready) left += 1;
    }
  }

  #send(batch: PendingLeg[], now: number): void {
    for (const policy of this.#o.policies) policy.began?.(batch.length, now);
    const abort = new AbortController();
    if (this.#sending.length === 0) this.#progressAt = now;
    this.#sending.push(abort);
    let timeoutMs = 0;
    for (const leg of batch) timeoutMs = Math.max(timeoutMs, leg.spec.settings.timeoutMs);
    if (this.#o.place !== undefined) traceSend(batch, this.#o.place);
    const cancel = this.#o.clock.after(timeoutMs, () => abort.abort());
    const settle = (results: readonly SendResult[]): void => {
      cancel();
      this.#sending.splice(this.#sending.indexOf(abort), 1);
      if (!this.#stopped) this.#settle(batch, results, now);
    };
    this.target.send(batch, abort.signal).then(settle, (error: unknown) => {
      // A target that rejects breaks its contract; the outcome of every leg is unknown then.
      const message = error instanceof Error ? error.message : String(error);
      settle(batch.map(() => ({ status: 'unknown', code: 'E_TARGET_CONTRACT', message, retryable: true })));
    });
  }

  #settle(batch: PendingLeg[], results: readonly SendResult[], beganAt: number): void {
    const { clock, owner, availability, policies } = this.#o;
    const now = clock.now();
    this.#progressAt = now;
    this.#mute = results.every(({ status }) => status === 'unknown');
    this.#settling = true;
    availability.settled(results, now, beganAt);
    for (const policy of policies) policy.settled(results, now, beganAt);
    const held = policies.some(({ down }) => down);
    let delays: Map<PendingLeg, number> | undefined;
    for (let i = 0; i < batch.length; i += 1) {
      const leg = batch[i] as PendingLeg;
      const result = results[i] ?? NO_RESULT;
      leg.trace?.ended(result);
      if (result.status === 'confirmed') {
        this.#end(leg);
        if (leg.attemptOf === undefined) owner.done(leg, now);
        else leg.attemptOf.confirmed(leg, now);
        continue;
      }
      const retryInMs = this.#failed(leg, result, now, held);
      if (retryInMs > 0) delays = (delays ?? new Map()).set(leg, retryInMs);
    }
    const again: PendingLeg[] = [];
    for (let i = 0; i < batch.length; i += 1) {
      const leg = batch[i] as PendingLeg;
      // A key's legs stand side by side in a batch, and one release looks at them all.
      if (leg.key !== undefined && i > 0 && batch[i - 1]?.key === leg.key) continue;
      const retry = this.#queue.release(leg);
      if (retry !== undefined) again.push(retry);
    }
    for (const leg of batch) leg.taken = false;
    // Backwards, so that those put back at the front keep their order.
    for (const leg of again.reverse()) {
      const delay = delays?.get(leg);
      if (delay === undefined) this.#queue.putBack(leg);
      else this.#waiting.add(now + delay, leg);
    }
    this.#settling = false;
    this.#feed();
    this.kick();
  }

  #feed(): void {
    for (const feeder of this.#feeders) feeder.kick();
  }

  /** Milliseconds to wait before the leg's next attempt; 0 when it ended or did not count as an attempt. */
  #failed(leg: PendingLeg, failure: Failure, now: number, held: boolean): number {
    if (failure.status === 'unknown') leg.spec.counters.unknown += 1;
    if (leg.attemptOf !== undefined) {
      this.#end(leg);
      leg.attemptOf.failed(leg, failure, failure.unavailable === true || (held && failure.retryable), now);
      return 0;
    }
    if (failure.unavailable === true) return 0;
    const decision = this.#o.retry(leg, failure);
    // It waits all the same, so that what is tried next is something else.
    if (held && failure.retryable) return decision === 'give-up' ? 1 : Math.max(1, decision.retryInMs);
    if (decision === 'give-up') {
      this.#end(leg);
      this.#o.owner.failed(leg, failure, now);
      return 0;
    }
    leg.spec.counters.retries += 1;
    leg.attempt += 1;
    return Math.max(1, decision.retryInMs);
  }

  #end(leg: PendingLeg): void {
    leg.ended = true;
    this.#occupancy.end(leg);
  }
}
