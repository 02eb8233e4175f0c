import type { Selector, SendStatus } from '../core/selector.ts';
import { backoffMs, MAX_ATTEMPTS, ShownEvent } from './run.ts';
import { TIMEOUT_MS, type World } from './world/world.ts';

/** What a gateway needs of the simulation. */
interface Outside {
  /** Gives the slot. */
  send(event: number, target: number, attempt: number, propensity: number): number;
  retry(event: number, afterMs: number): void;
}

/** By event; all gateways write to the same arrays, each of them its own events. */
interface Outcomes {
  readonly confirmedAt: Float64Array;
  readonly attempts: Uint8Array;
}

/**
 * One gateway: its selector, its retries and the order of its keys. The rules are those of the pipeline, and the same for
 * every policy: a failed event is tried elsewhere where there is an elsewhere; a key whose event failed sends nothing until
 * what it has in flight is settled, then the failed event alone, then the others in order.
 */
export class GatewaySide {
  readonly selector: Selector;
  decisions = 0;
  switches = 0;
  explored = 0;
  deadLettered = 0;
  expired = 0;
  inFlight = 0;
  readonly #world: World;
  readonly #outcomes: Outcomes;
  readonly #outside: Outside;
  readonly #event = new ShownEvent();
  readonly #keys: readonly string[];
  /** Selectors' tickets by slot. */
  readonly #tickets: number[] = [];
  readonly #without = new Map<number, readonly number[]>();
  /** By event, 1 + the target that failed last. */
  readonly #failedAt = new Map<number, number>();
  readonly #keyInFlight: Int32Array;
  /** Keys that hold events back: what waits, the head first. */
  readonly #held = new Map<number, number[]>();
  /** By held key, the event that is retried alone or waits for a target. */
  readonly #heads = new Map<number, number>();
  #waiting: number[] = [];
  #last = -1;

  constructor(world: World, selector: Selector, outcomes: Outcomes, outside: Outside) {
    this.#world = world;
    this.selector = selector;
    this.#outcomes = outcomes;
    this.#outside = outside;
    this.#keys = Array.from({ length: world.keys }, (_, key) => `key-${key}`);
    this.#keyInFlight = new Int32Array(world.keys);
  }

  arrive(event: number): void {
    this.inFlight += 1;
    this.#admit(event);
  }

  #admit(event: number): void {
    const key = this.#world.key[event] as number;
    const held = key < 0 ? undefined : this.#held.get(key);
    if (held !== undefined) held.push(event);
    else this.#try(event);
  }

  /** After the backoff of an unkeyed event, or of the head of its key. */
  again(event: number): void {
    this.#try(event);
  }

  tick(now: number): void {
    this.selector.tick();
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) {
      if (now - (this.#world.at[event] as number) < TIMEOUT_MS) this.#try(event);
      else {
        this.expired += 1;
        this.#ended(event);
      }
    }
  }

  settled(slot: number, event: number, target: number, attempt: number, status: SendStatus, now: number): void {
    this.selector.settled(this.#tickets[slot] as number, status);
    const key = this.#world.key[event] as number;
    if (key >= 0) this.#keyInFlight[key] = (this.#keyInFlight[key] as number) - 1;
    if (status === 'ok') {
      this.#outcomes.confirmedAt[event] = now;
      this.#failedAt.delete(event);
      this.#ended(event);
      return;
    }
    if (attempt >= MAX_ATTEMPTS) {
      this.deadLettered += 1;
      this.#failedAt.delete(event);
      this.#ended(event);
      return;
    }
    this.#failedAt.set(event, target + 1);
    if (key < 0) this.#outside.retry(event, backoffMs(attempt));
    else this.#hold(key, event, attempt);
  }

  #try(event: number): void {
    const world = this.#world;
    const key = world.key[event] as number;
    const shown = this.#event;
    shown.key = key < 0 ? undefined : this.#keys[key];
    shown.bytes = world.bytes[world.size[event] as number] as number;
    const decision = this.selector.choose(shown, this.#eligible(event));
    const { target, propensity, explored } = decision;
    if (target < 0) {
      if (key >= 0 && this.#heads.get(key) !== event) {
        if (!this.#held.has(key)) this.#held.set(key, []);
        this.#heads.set(key, event);
      }
      this.#waiting.push(event);
      return;
    }
    this.decisions += 1;
    if (target !== this.#last) this.switches += 1;
    this.#last = target;
    if (explored) this.explored += 1;
    const attempt = (this.#outcomes.attempts[event] as number) + 1;
    this.#outcomes.attempts[event] = attempt;
    if (key >= 0) this.#keyInFlight[key] = (this.#keyInFlight[key] as number) + 1;
    const ticket = this.selector.sent(target, shown);
    const slot = this.#outside.send(event, target, attempt, propensity);
    this.#tickets[slot] = ticket;
  }

  #eligible(event: number): readonly number[] {
    const set = this.#world.set[event] as number;
    const all = this.#world.sets[set] as readonly number[];
    if (this.#failedAt.size === 0 || all.length < 2) return all;
    const failed = this.#failedAt.get(event);
    if (failed === undefined) return all;
    const name = set * 64 + failed;
    let others = this.#without.get(name);
    if (others === undefined) {
      others = all.filter((target) => target !== failed - 1);
      this.#without.set(name, others);
    }
    return others;
  }

  #hold(key: number, event: number, attempt: number): void {
    if (this.#heads.get(key) === event) this.#heads.delete(key);
    const held = this.#held.get(key);
    if (held === undefined) this.#held.set(key, [event]);
    else {
      // Events are numbered by arrival, and those in flight all came before those that wait.
      const place = held.findIndex((other) => other > event);
      held.splice(place < 0 ? held.length : place, 0, event);
    }
    if ((this.#keyInFlight[key] as number) === 0) this.#sendHead(key, attempt);
  }

  #sendHead(key: number, attempt: number): void {
    const head = this.#held.get(key)?.shift();
    if (head === undefined) return;
    this.#heads.set(key, head);
    this.#outside.retry(head, backoffMs(attempt));
  }

  /** The event needs no more attempts. */
  #ended(event: number): void {
    this.inFlight -= 1;
    const key = this.#world.key[event] as number;
    const held = key < 0 ? undefined : this.#held.get(key);
    if (held === undefined) return;
    if (this.#heads.get(key) === event) {
      this.#heads.delete(key);
      this.#held.delete(key);
      for (const other of held) this.#admit(other);
    } else if ((this.#keyInFlight[key] as number) === 0 && !this.#heads.has(key)) this.#sendHead(key, 1);
  }
}
