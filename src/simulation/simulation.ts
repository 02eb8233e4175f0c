import type { SendOutcome } from '../core/selector.ts';
import { Agenda } from './agenda.ts';
import { Attempts } from './attempts.ts';
import { GatewaySide } from './gateway-side.ts';
import { type Run, type RunOptions, SHARE_BIN_MS, TICK_MS } from './run.ts';
import { Station } from './station.ts';
import { hashed } from './world/random.ts';
import { DRAIN_MS, stepOf, type World } from './world/world.ts';

const REACH = 0;
const ANSWER = 1;
const RETRY = 2;
const POLL = 3;
const POLLED = 4;
const KINDS = 8;
/** Between sends of one moment, which the agenda would not keep in order. */
const BEHIND_MS = 1e-6;
const STATUS: readonly SendOutcome[] = ['ok', 'failed', 'refused', 'unknown', 'timeout'];

/** Runs one world with one policy under a logical clock: events in the order of time, nothing waits for real. */
export function simulate(options: RunOptions): Run {
  const steps = new Simulation(options).run();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same with a scorer that answers later: `answered` is awaited after each tick, within which no time passes. */
export async function simulateAsync(options: RunOptions, answered: () => Promise<unknown> | undefined): Promise<Run> {
  const steps = new Simulation(options).run();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    const answer = answered();
    if (answer !== undefined) await answer;
  }
}

class Simulation {
  now = 0;
  readonly #world: World;
  readonly #options: RunOptions;
  readonly #agenda = new Agenda();
  readonly #stations: readonly Station[];
  readonly #gateways: readonly GatewaySide[];
  readonly #attempts: Attempts;
  /** By gateway and target: when the connection's last send reaches the target. A connection keeps order. */
  readonly #reachedAt: Float64Array;
  readonly #polled: Float64Array;
  readonly #stuck: Float64Array;
  readonly #outcomes: { readonly confirmedAt: Float64Array; readonly attempts: Uint8Array };
  readonly #processed: Uint8Array;
  readonly #cost: Float32Array;
  readonly #shares: Uint32Array;
  /** By key: the last event that a target took in. */
  readonly #lastOfKey: Int32Array;
  readonly #counts = { reorderings: 0, keyedSends: 0, steps: 0 };

  constructor(options: RunOptions) {
    const { world, gateways, selectorOf } = options;
    const { targets } = world;
    this.#options = options;
    this.#world = world;
    this.#stations = targets.map((target, index) => new Station(target, world.seed * 32 + index));
    this.#attempts = new Attempts();
    this.#reachedAt = new Float64Array(gateways * targets.length);
    this.#polled = new Float64Array(gateways * targets.length);
    this.#stuck = new Float64Array(gateways * targets.length).fill(-1);
    const confirmedAt = new Float64Array(world.at.length).fill(Number.NaN);
    this.#outcomes = { confirmedAt, attempts: new Uint8Array(world.at.length) };
    this.#processed = new Uint8Array(world.at.length);
    this.#cost = new Float32Array(world.at.length);
    const bins = Math.ceil((world.horizonMs + DRAIN_MS) / SHARE_BIN_MS) + 1;
    this.#shares = new Uint32Array(bins * targets.length);
    this.#lastOfKey = new Int32Array(world.keys).fill(-1);
    const now = (): number => this.now;
    // Runs begin at some time of the day.
    const began = hashed(world.seed, 0, 13) * world.dayMs;
    const wall = (): number => began + this.now;
    const waitMs = (target: number): number => (this.#stations[target] as Station).waitMs(this.now);
    this.#gateways = Array.from({ length: gateways }, (_, gateway) => {
      const selector = selectorOf({ world, gateway, gateways, now, wall, waitMs });
      return new GatewaySide(world, selector, this.#outcomes, {
        send: (event, target, attempt, propensity) => this.#send(gateway, event, target, attempt, propensity),
        retry: (event, afterMs) => this.#agenda.push(this.now + afterMs, event * KINDS + RETRY),
      });
    });
    this.#schedulePolls();
  }

  /** Stops after each tick. */
  *run(): Generator<undefined, Run> {
    const { at } = this.#world;
    const end = this.#world.horizonMs + DRAIN_MS;
    const gateways = this.#gateways.length;
    let arrival = 0;
    let tick = 0;
    for (;;) {
      const arrivalAt = arrival < at.length ? (at[arrival] as number) : Number.POSITIVE_INFINITY;
      const tickAt = (tick * TICK_MS) / gateways;
      const earliest = Math.min(arrivalAt, tickAt, this.#agenda.next, this.#attempts.nextTimeout);
      if (earliest > end) break;
      this.now = earliest;
      this.#counts.steps += 1;
      if (earliest === arrivalAt) {
        this.#gatewayOf(arrival).arrive(arrival);
        arrival += 1;
      } else if (earliest === this.#agenda.next) this.#next();
      else if (earliest === tickAt) {
        const gateway = tick % gateways;
        const side = this.#gateways[gateway] as GatewaySide;
        side.tick(earliest);
        this.#options.observer?.ticked?.(gateway, side.selector, earliest);
        tick += 1;
        yield;
      } else this.#timeout();
    }
    return this.#result();
  }

  #gatewayOf(event: number): GatewaySide {
    const key = this.#world.key[event] as number;
    return this.#gateways[(key < 0 ? event : key) % this.#gateways.length] as GatewaySide;
  }

  #next(): void {
    const what = this.#agenda.pop();
    const number = Math.floor(what / KINDS);
    switch (what % KINDS) {
      case REACH:
        this.#reach(number);
        break;
      case ANSWER:
        this.#answer(number);
        break;
      case RETRY:
        this.#gatewayOf(number).again(number);
        break;
      case POLL:
        this.#poll(number);
        break;
      default:
        this.#tellBacklog(number);
    }
  }

  #send(gateway: number, event: number, target: number, attempt: number, propensity: number): number {
    const { world, attempts } = { world: this.#world, attempts: this.#attempts };
    const slot = attempts.open(event, target, gateway, attempt, this.now);
    const connection = gateway * world.targets.length + target;
    const jitter = -Math.log(1 - hashed(world.seed, event, 20 + attempt)) * 0.03;
    const oneWay = this.#oneWayMs(target);
    const at = Math.max((this.#reachedAt[connection] as number) + BEHIND_MS, this.now + oneWay * (1 + jitter));
    this.#reachedAt[connection] = at;
    this.#agenda.push(at, slot * KINDS + REACH);
    if ((world.key[event] as number) < 0)
      (this.#shares[Math.floor(this.now / SHARE_BIN_MS) * world.targets.length + target] as number) += 1;
    else this.#counts.keyedSends += 1;
    this.#options.observer?.sent?.({ slot, event, target, gateway, atMs: this.now, propensity });
    return slot;
  }

  #oneWayMs(target: number): number {
    const { rttMs, extraRttMs } = this.#world.targets[target] as World['targets'][number];
    return (rttMs + (extraRttMs[stepOf(this.now)] as number)) / 2;
  }

  #reach(slot: number): void {
    const world = this.#world;
    const attempts = this.#attempts;
    const event = attempts.event[slot] as number;
    const target = attempts.target[slot] as number;
    const station = this.#stations[target] as Station;
    const luck = hashed(world.seed, event, 40 + (attempts.attempt[slot] as number) * 32 + target);
    const answer = station.reach(this.now, world.size[event] as number, world.z[event] as number, luck);
    if (station.processed) this.#took(event, target);
    if (answer === 'nothing') {
      attempts.endChain(slot);
      return;
    }
    attempts.status[slot] = STATUS.indexOf(answer);
    const jitter = -Math.log(1 - hashed(world.seed, event, 30 + (attempts.attempt[slot] as number))) * 0.03;
    this.#agenda.push(station.answerAt + this.#oneWayMs(target) * (1 + jitter), slot * KINDS + ANSWER);
  }

  #took(event: number, target: number): void {
    const world = this.#world;
    const again = (this.#processed[event] as number) > 0;
    this.#processed[event] = (this.#processed[event] as number) + 1;
    this.#cost[event] = (this.#cost[event] as number) + (world.targets[target] as World['targets'][number]).cost;
    const key = world.key[event] as number;
    if (key < 0 || again) return;
    if (event < (this.#lastOfKey[key] as number)) this.#counts.reorderings += 1;
    else this.#lastOfKey[key] = event;
  }

  #answer(slot: number): void {
    const attempts = this.#attempts;
    if (!attempts.isSettled(slot)) this.#settle(slot, STATUS[attempts.status[slot] as number] as SendOutcome);
    attempts.endChain(slot);
  }

  #timeout(): void {
    const slot = this.#attempts.popTimeout();
    if (slot >= 0) this.#settle(slot, 'timeout');
  }

  #settle(slot: number, status: SendOutcome): void {
    const attempts = this.#attempts;
    const event = attempts.event[slot] as number;
    const gateway = attempts.gateway[slot] as number;
    const target = attempts.target[slot] as number;
    const atMs = attempts.sentAt[slot] as number;
    const attempt = attempts.attempt[slot] as number;
    this.#options.observer?.settled?.({ slot, event, target, gateway, atMs, propensity: Number.NaN }, status, this.now);
    (this.#gateways[gateway] as GatewaySide).settled(slot, event, target, attempt, status, this.now);
    attempts.settle(slot);
  }

  #schedulePolls(): void {
    const { targets, seed } = this.#world;
    for (let number = 0; number < this.#reachedAt.length; number += 1) {
      const { poll } = targets[number % targets.length] as World['targets'][number];
      if (poll !== undefined) this.#agenda.push(hashed(seed, number, 9) * poll.everyMs, number * KINDS + POLL);
    }
  }

  #poll(number: number): void {
    const target = number % this.#world.targets.length;
    const { poll } = this.#world.targets[target] as World['targets'][number];
    if (poll === undefined) return;
    const depth = (this.#stations[target] as Station).depth(this.now);
    if ((this.#stuck[number] as number) < 0) this.#stuck[number] = depth;
    const told = { none: depth, zero: 0, stuck: this.#stuck[number] as number, twentyfold: 20 * depth + 20 };
    this.#polled[number] = told[poll.lie];
    this.#agenda.push(this.now + poll.delayMs, number * KINDS + POLLED);
    this.#agenda.push(this.now + poll.everyMs, number * KINDS + POLL);
  }

  #tellBacklog(number: number): void {
    const { targets } = this.#world;
    const target = number % targets.length;
    const side = this.#gateways[Math.floor(number / targets.length)] as GatewaySide;
    side.selector.backlog(target, this.#polled[number] as number, targets[target]?.poll?.delayMs ?? 0);
  }

  #result(): Run {
    const sum = (of: (side: GatewaySide) => number): number =>
      this.#gateways.reduce((total, side) => total + of(side), 0);
    return {
      world: this.#world,
      ...this.#outcomes,
      processed: this.#processed,
      cost: this.#cost,
      shares: this.#shares,
      ...this.#counts,
      decisions: sum((side) => side.decisions),
      switches: sum((side) => side.switches),
      explored: sum((side) => side.explored),
      deadLettered: sum((side) => side.deadLettered),
      expired: sum((side) => side.expired),
      inFlight: sum((side) => side.inFlight),
    };
  }
}
