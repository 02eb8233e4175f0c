import type {
  CandidateScore,
  Decision,
  DecisionBy,
  Explanation,
  NoTarget,
  Selector,
  SelectorConfig,
  SelectorDeps,
  SelectorEvent,
  SelectorName,
  SelectorTarget,
  SendStatus,
  Ticket,
} from '../../core/selector.ts';
import { silent } from '../../core/silence.ts';
import type { TargetWindow } from '../../core/target-window.ts';
import type { Changes } from './changes.ts';
import { InFlightTable, slotOf } from './in-flight.ts';
import { Leases } from './leases.ts';
import type { Candidate, Strategy } from './strategy.ts';

const DAY_MS = 86_400_000;

const followsSends = (strategy: Strategy): strategy is Strategy & Required<Pick<Strategy, 'sent'>> =>
  strategy.sent !== undefined;
const followsAnswers = (strategy: Strategy): strategy is Strategy & Required<Pick<Strategy, 'settled'>> =>
  strategy.settled !== undefined;

class MutableDecision implements Decision {
  target = -1;
  by: DecisionBy = 'none';
  policy: SelectorName;
  propensity = 1;
  explored = false;
  reason: NoTarget | undefined = undefined;

  constructor(policy: SelectorName) {
    this.policy = policy;
  }
}

/** The part of a selector that knows the model, if any. */
export interface ModelSeat extends Pick<Selector, 'snapshot' | 'sizeClass'> {
  readonly sha: string | undefined;
  use(scorer: Parameters<Selector['use']>[0]): void;
  /** Why the model is not used; undefined while it is, and without one. */
  readonly fallback: string | undefined;
  /** Told of each send's size; gives its class. */
  saw(bytes: number): number;
  /** Each send and what came of it, after the window was told. `slot` names it until then. */
  sent?(slot: number, target: number, bytes: number): void;
  settled?(slot: number, target: number, status: SendStatus, latencyMs: number): void;
  tick(now: number, phase: number | undefined): void;
}

export interface ChoiceParts {
  readonly windows: readonly TargetWindow[];
  /** The strategy and what stands in for it, in order; the last must always give an answer. */
  readonly chain: readonly Strategy[];
  readonly seat: ModelSeat;
  /** Where strategies look up what has changed. */
  readonly changes: Changes;
}

/** What all selectors share: who may be chosen, leases of keys, accounting, the fallback chain. */
export class Choice implements Selector {
  readonly targets: readonly SelectorTarget[];
  readonly by: SelectorName;
  readonly #deps: SelectorDeps;
  readonly #timeoutMs: number;
  readonly #seasonMs: number;
  readonly #chain: readonly Strategy[];
  readonly #seat: ModelSeat;
  readonly #changes: Changes;
  /** Those of the chain that are told of sends, and of what came of them. */
  readonly #followsSends: readonly Required<Pick<Strategy, 'sent'>>[];
  readonly #followsAnswers: readonly (Required<Pick<Strategy, 'settled'>> & Strategy)[];
  readonly #all: readonly Candidate[];
  readonly #every: readonly number[];
  readonly #up: boolean[];
  #down = 0;
  readonly #inFlight: InFlightTable;
  readonly #leases: Leases;
  readonly #decision: MutableDecision;
  /** Of the events that the model decides. */
  #share = 1;
  /** The candidates of the event at hand. */
  readonly #usable: Candidate[] = [];

  constructor(config: SelectorConfig, deps: SelectorDeps, parts: ChoiceParts) {
    const { targets } = config;
    this.targets = targets;
    this.by = config.by;
    this.#deps = deps;
    this.#timeoutMs = config.timeoutMs ?? 2_000;
    this.#seasonMs = config.seasonMs ?? DAY_MS;
    this.#chain = parts.chain;
    this.#seat = parts.seat;
    this.#changes = parts.changes;
    this.#followsSends = parts.chain.filter(followsSends);
    this.#followsAnswers = parts.chain.filter(followsAnswers);
    this.#all = targets.map((spec, index) => ({ index, spec, window: parts.windows[index] as TargetWindow }));
    this.#every = targets.map((_, index) => index);
    this.#up = targets.map(() => true);
    this.#inFlight = new InFlightTable(targets.length);
    this.#leases = new Leases(config.maxLeases ?? 65_536);
    this.#decision = new MutableDecision(config.by);
  }

  choose(event: SelectorEvent, eligible: readonly number[] = this.#every, now = this.#deps.now()): Decision {
    const { key } = event;
    if (key !== undefined) {
      const leased = this.#leases.target(key);
      if (leased >= 0) return this.#byLease(leased, eligible, now);
      if (this.#leases.full) return this.#none('leases-full');
    }
    const usable = this.#candidates(eligible);
    if (usable.length === 0) return this.#none(eligible.length === 0 ? 'not-eligible' : 'unavailable');
    const first = this.#share < 1 && this.#deps.random() >= this.#share ? 1 : 0;
    for (let s = first; s < this.#chain.length; s += 1) {
      const strategy = this.#chain[s] as Strategy;
      const at = usable.length === 1 ? 0 : strategy.pick(usable, event, now);
      if (at < 0) continue;
      const by = s === first ? strategy.by : 'fallback';
      const sure = usable.length === 1;
      const chosen = (usable[at] as Candidate).index;
      return this.#decide(chosen, by, strategy.name, sure ? 1 : strategy.propensity, !sure && strategy.explored);
    }
    return this.#none('unavailable');
  }

  #candidates(eligible: readonly number[]): readonly Candidate[] {
    if (eligible === this.#every && this.#down === 0) return this.#all;
    const usable = this.#usable;
    let count = 0;
    for (let i = 0; i < eligible.length; i += 1) {
      const index = eligible[i] as number;
      if (this.#up[index] !== true) continue;
      usable[count] = this.#all[index] as Candidate;
      count += 1;
    }
    usable.length = count;
    return usable;
  }

  /** While events of the key are in flight it stays where it is; where nothing answers, it waits until they are settled. */
  #byLease(target: number, eligible: readonly number[], now: number): Decision {
    if (!eligible.includes(target)) return this.#none('lease-not-eligible');
    const { window } = this.#all[target] as Candidate;
    if (this.#up[target] !== true || silent(window, now, this.#timeoutMs)) {
      return this.#none('lease-unavailable');
    }
    return this.#decide(target, 'lease', this.by, 1, false);
  }

  #none(reason: NoTarget): Decision {
    this.#decide(-1, 'none', this.by, 1, false);
    this.#decision.reason = reason;
    return this.#decision;
  }

  #decide(target: number, by: DecisionBy, policy: SelectorName, propensity: number, explored: boolean): Decision {
    const decision = this.#decision;
    decision.target = target;
    decision.by = by;
    decision.policy = policy;
    decision.propensity = propensity;
    decision.explored = explored;
    decision.reason = undefined;
    return decision;
  }

  explain(event: SelectorEvent, eligible: readonly number[] = this.#every): Explanation {
    const now = this.#deps.now();
    const usable = this.#candidates(eligible).slice();
    const leased = event.key === undefined ? -1 : this.#leases.target(event.key);
    const deciding = this.#chain.slice(this.#share === 0 ? 1 : 0);
    const strategy = deciding.find((one) => one.scores(usable, event, now) !== undefined);
    const scores = strategy?.scores(usable, event, now) ?? [];
    const by = strategy === undefined ? 'none' : strategy === deciding[0] ? strategy.by : 'fallback';
    return {
      by: leased >= 0 ? 'lease' : by,
      policy: strategy?.name ?? this.by,
      lease: this.targets[leased]?.name,
      model: this.#seat.sha,
      fallback: this.#seat.fallback,
      candidates: eligible.map((index): CandidateScore => {
        const at = usable.findIndex((candidate) => candidate.index === index);
        const { name } = this.targets[index] as SelectorTarget;
        const inFlight = this.inFlight(index);
        const scored = scores[at];
        if (scored === undefined) {
          return { target: name, available: false, inFlight, score: Number.NaN, propensity: 0, parts: {} };
        }
        return { target: name, available: true, inFlight, ...scored };
      }),
    };
  }

  sent(target: number, event: SelectorEvent, now = this.#deps.now()): Ticket {
    const candidate = this.#all[target] as Candidate;
    const sizeClass = this.#seat.saw(event.bytes);
    const ticket = this.#inFlight.add(target, now, event.key, candidate.window.inFlight, sizeClass);
    if (event.key !== undefined) this.#leases.sent(event.key, target);
    candidate.window.sent(now);
    this.#changes.sent(target, candidate.window.oldestSentAt);
    this.#seat.sent?.(slotOf(ticket), target, event.bytes);
    for (const strategy of this.#followsSends) strategy.sent(candidate, now);
    return ticket;
  }

  settled(ticket: Ticket, status: SendStatus, latencyMs?: number, now = this.#deps.now()): void {
    const slot = this.#inFlight.slot(ticket);
    const candidate = this.#all[this.#inFlight.target(slot)] as Candidate;
    const took = latencyMs ?? now - this.#inFlight.sentAt(slot);
    const key = this.#inFlight.key(slot);
    const depth = this.#inFlight.depth(slot);
    const sizeClass = this.#inFlight.sizeClass(slot);
    this.#inFlight.remove(slot);
    if (key !== undefined) this.#leases.settled(key);
    const oldestSentAt = this.#inFlight.oldestSentAt(candidate.index);
    candidate.window.settled(now, status, took, oldestSentAt, depth, sizeClass);
    this.#changes.settled(candidate.index, oldestSentAt);
    this.#seat.settled?.(slot, candidate.index, status, took);
    for (const strategy of this.#followsAnswers) {
      if (status === 'recalled') strategy.recalled?.(candidate);
      else strategy.settled(candidate, status, took, now);
    }
  }

  available(target: number, up: boolean): void {
    if (this.#up[target] !== !up) return;
    if (up) this.#all[target]?.window.recovered(this.#deps.now());
    this.#up[target] = up;
    this.#down += up ? -1 : 1;
  }

  backlog(target: number, depth: number, ageMs: number): void {
    this.#all[target]?.window.polled(this.#deps.now(), depth, ageMs);
  }

  tick(): void {
    const now = this.#deps.now();
    const wall = this.#deps.wall?.();
    const phase = wall === undefined ? undefined : (wall % this.#seasonMs) / this.#seasonMs;
    for (const { window } of this.#all) window.roll(now, phase);
    this.#seat.tick(now, phase);
    for (const strategy of this.#chain) strategy.tick?.(this.#all, now);
  }

  inFlight(target: number): number {
    return this.#all[target]?.window.inFlight ?? 0;
  }

  sizeClass(bytes: number): number {
    return this.#seat.sizeClass(bytes);
  }

  snapshot(): ReturnType<Selector['snapshot']> {
    return this.#seat.snapshot();
  }

  use(scorer: Parameters<Selector['use']>[0], share = 1): void {
    // Only `predictive` has another policy to leave the rest to.
    if (this.by === 'predictive') this.#share = share;
    this.#seat.use(scorer);
  }
}
