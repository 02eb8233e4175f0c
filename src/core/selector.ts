import type { Random } from './clock.ts';
import type { AttributeValue } from './event.ts';
import type { Scorer } from './scorer.ts';

/** Ways to choose one target of several. `c3` and `prequal` use declared capacities where there are any. */
export const SELECTORS = [
  'priority',
  'weighted',
  'round-robin',
  'random',
  'least-inflight',
  'p2c-least-inflight',
  'p2c-ewma',
  'c3',
  'prequal',
  'adaptive',
  'predictive',
] as const;

export type SelectorName = (typeof SELECTORS)[number];

/** What a selector is told of a target. */
export interface SelectorTarget {
  readonly name: string;
  /** Share for `weighted`; default 1. */
  readonly weight?: number | undefined;
  /** Cost of one event, in units of the operator's choosing; default 0. */
  readonly cost?: number | undefined;
  /** Declared capacity, of all gateways together. */
  readonly capacity?: { readonly perSecond?: number | undefined; readonly concurrent?: number | undefined } | undefined;
  /** Declared latency without load, in ms; default: the least that was seen of late. */
  readonly floorMs?: number | undefined;
  /** Adapter type (`kafka`, `rabbitmq`, …), a feature of models. */
  readonly protocol?: string | undefined;
}

/** Weights of the parts of the expected cost (docs/guide/selectors.md); defaults are 1, 0.1, 1, 1 and 1. */
export interface CostWeights {
  readonly latency?: number | undefined;
  readonly slo?: number | undefined;
  readonly failure?: number | undefined;
  readonly cost?: number | undefined;
  readonly congestion?: number | undefined;
}

export interface SelectorConfig {
  readonly by: SelectorName;
  readonly targets: readonly SelectorTarget[];
  /** Latency that should not be exceeded, in ms; default 100. */
  readonly sloMs?: number | undefined;
  /** When the caller gives up a send, in ms: what a failure costs at most; default 2,000. */
  readonly timeoutMs?: number | undefined;
  readonly weights?: CostWeights | undefined;
  /** Least share of events that each eligible target is given, to learn of it; default 0.005. `adaptive`, `predictive`. */
  readonly explore?: number | undefined;
  /** Interval at which the caller calls {@link Selector.tick}, in ms; default 20. */
  readonly tickMs?: number | undefined;
  /** Gateways that share the declared capacities; default 1. */
  readonly gateways?: number | undefined;
  /** Length of the season of which the time of day is a feature, in ms; default one day. */
  readonly seasonMs?: number | undefined;
  /** Keys that may be in flight at once; default 65,536. */
  readonly maxLeases?: number | undefined;
  /** Upper bounds in bytes of the size classes that models score apart, ascending; default 4 KiB and 64 KiB. */
  readonly sizeClasses?: readonly number[] | undefined;
  /** Compute features at each tick also without a scorer (for telemetry and training); default false. */
  readonly telemetry?: boolean | undefined;
}

/** Time and chance are injected: simulation and production run the same files. */
export interface SelectorDeps {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly random: Random;
  /** Wall-clock milliseconds, for the time of day as a feature; default: no time of day. */
  readonly wall?: (() => number) | undefined;
  readonly scorer?: Scorer | undefined;
}

/** An event as a selector sees it. */
export interface SelectorEvent {
  /** Events of one key keep their order: while some are in flight the others go to the same target. */
  readonly key?: string | undefined;
  readonly bytes: number;
  attribute?(name: string): AttributeValue | undefined;
}

/**
 * By what a target was chosen: a fixed rule, the analytic policy, the model, what stands in for a model that is not fit
 * for use, the lease of the event's key, or nothing at all.
 */
export type DecisionBy = 'rule' | 'analytic' | 'model' | 'fallback' | 'lease' | 'none';

/** Why no target was chosen. */
export type NoTarget = 'not-eligible' | 'unavailable' | 'lease-unavailable' | 'lease-not-eligible' | 'leases-full';

/** Held by the selector and written over by the next `choose`. */
export interface Decision {
  /** Index into `targets`, or -1: the event has to wait. */
  readonly target: number;
  readonly by: DecisionBy;
  /** What decided, after fallbacks. */
  readonly policy: SelectorName;
  /** Probability with which this target was chosen, given all that was known; 1 for deterministic choices and leases. */
  readonly propensity: number;
  /** Chosen to learn something, not because it seemed best. */
  readonly explored: boolean;
  /** Set exactly if `target` is -1. */
  readonly reason: NoTarget | undefined;
}

/** What became of a send that left the gateway. */
export type SendOutcome = 'ok' | 'failed' | 'timeout' | 'refused' | 'unknown';

/** `recalled`: taken back before it left. It says nothing of the target; only what is in flight and leases are put right. */
export type SendStatus = SendOutcome | 'recalled';

/** Names one send until it is settled. Numbers are used again. */
export type Ticket = number;

/** One candidate of an {@link Explanation}: what is known of it and the parts of its expected cost, where there are any. */
export interface CandidateScore {
  readonly target: string;
  readonly available: boolean;
  readonly inFlight: number;
  /** Smaller is better; the unit is the policy's. */
  readonly score: number;
  /** Probability with which `choose` would take it now. NaN where the policy is told only by trying. */
  readonly propensity: number;
  /** By name, for instance `latency`, `slo`, `failure`, `cost`, `congestion`. */
  readonly parts: Readonly<Record<string, number>>;
}

export interface Explanation {
  readonly by: DecisionBy;
  readonly policy: SelectorName;
  /** The target that the event's key is bound to at present. */
  readonly lease: string | undefined;
  readonly model: string | undefined;
  /** Why the model is not used, if there is one. */
  readonly fallback: string | undefined;
  readonly candidates: readonly CandidateScore[];
}

/** Features as of the last tick: `rows = targets × classes`, target by target. The arrays are written over by the next. */
export interface FeatureSnapshot {
  /** Counts ticks; the id that decision records refer to. */
  readonly tick: number;
  readonly at: number;
  readonly rows: number;
  readonly classes: number;
  readonly columns: number;
  readonly features: Float32Array;
  /** `[rows, 3]`, or undefined where no good scores are at hand. */
  readonly scores: Float32Array | undefined;
  /** SHA-256 of the model whose scores these are. */
  readonly model?: string | undefined;
  /** Share of the model in what was forecast, where it is mixed with something else. */
  readonly lambda?: number | undefined;
}

/**
 * Chooses one target per event. Everything is synchronous and O(targets) at most; `choose`, `sent` and `settled` allocate
 * nothing in the usual case. Their `now` is for callers that have many at once and read the clock for all of them; default:
 * `SelectorDeps.now()`.
 *
 * The caller, for each attempt: `choose`, and if there is a target, `sent` before anything else is chosen, and exactly one
 * `settled` for it, at the latest when it gives up waiting. `tick` is called every `tickMs`.
 */
export interface Selector {
  readonly targets: readonly SelectorTarget[];
  readonly by: SelectorName;
  /** @param eligible Indices of the targets that the event may go to, ascending; default: all. */
  choose(event: SelectorEvent, eligible?: readonly number[], now?: number): Decision;
  /** What `choose` would weigh now. Changes nothing, draws no random number; allocates. */
  explain(event: SelectorEvent, eligible?: readonly number[]): Explanation;
  sent(target: number, event: SelectorEvent, now?: number): Ticket;
  /** @param latencyMs Default: the time since `sent`. */
  settled(ticket: Ticket, status: SendStatus, latencyMs?: number, now?: number): void;
  /** An unavailable target (open breaker, lost connection) is never chosen. */
  available(target: number, up: boolean): void;
  /** Events that wait behind the target, as polled: `depth` events as of `ageMs` ago. */
  backlog(target: number, depth: number, ageMs: number): void;
  tick(): void;
  /** Sends of the target that are not settled. */
  inFlight(target: number): number;
  /** The class of `features` rows that events of this size belong to. */
  sizeClass(bytes: number): number;
  /** Undefined before the first tick, and where neither a scorer nor `telemetry` asks for features. */
  snapshot(): FeatureSnapshot | undefined;
  /**
   * Takes another model, or none, from the next tick on.
   *
   * @param share Of the events that it decides with `predictive`, 0 to 1; the analytic policy decides the others. At 0 the
   * model is scored and recorded only. Default 1.
   */
  use(scorer: Scorer | undefined, share?: number): void;
}
