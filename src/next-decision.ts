import { SCORE_COLUMNS } from './core/scorer.ts';
import type { CandidateScore, DecisionBy, Selector, SelectorName } from './core/selector.ts';
import { GATEWAY_SCHEMA } from './models/contract.ts';
import { rawRow } from './telemetry/raw-value.ts';
import type { RecentChoice, RecentRecords } from './telemetry/recent.ts';
import type { RecordedFeature } from './telemetry/records.ts';

/** What a forecast says of a send: latency in ms, its 0.95 quantile, probability of a failure. */
export interface Forecasted {
  readonly ms: number;
  readonly q95Ms: number;
  readonly failure: number;
}

/** One target of a choice as the selector weighs it. What is not known, or means nothing to the selector, is missing. */
export interface WeighedTarget {
  readonly target: string;
  /** It may be chosen. Else `reason` tells why not. */
  readonly available: boolean;
  readonly reason?: string;
  readonly inFlight: number;
  /** Smaller is better. */
  readonly score?: number;
  readonly propensity?: number;
  /** What the score is made of. */
  readonly parts: Readonly<Record<string, number>>;
  /** What was expected of a send, of the model or of what was seen, whichever decides. */
  readonly expected?: Forecasted;
  /** What the model says, also where it does not decide. */
  readonly scores?: Forecasted;
  /** By name, in raw units. */
  readonly features: Readonly<Record<string, number>>;
}

/** The telemetry that a decision rests on. */
export interface DecisionBasis {
  readonly gateway: string;
  readonly instance: string;
  /** Of the last recorded decision, in ms since 1970. */
  readonly at: number;
  readonly ageMs: number;
  /** Nothing was recorded for so long that everything is as of now, with nothing under way; else it is as of `at`. */
  readonly idle: boolean;
  /** Recorded ones, and since when. */
  readonly decisions: number;
  readonly spanMs: number;
  /** Successes that each recorded one stands for. */
  readonly weight: number;
}

/** What a choice would do with an event. */
export interface NextDecision {
  /** The likeliest; undefined: the event would wait. */
  readonly chosen?: string;
  readonly by: DecisionBy;
  readonly policy: SelectorName;
  /** SHA-256, and where it is from a registry the version. */
  readonly model?: string;
  readonly version?: number;
  /** Share of the events that the model decides, where it is not all. */
  readonly share?: number;
  /** Why the model is not used, where there should be one. */
  readonly fallback?: string;
  /** Undefined: nothing was recorded, so this is a selector that knows nothing. */
  readonly basis?: DecisionBasis;
  /** What is not exactly as in the gateway. */
  readonly notes: readonly string[];
  /** Those that the event may go to, in the order of the choice. */
  readonly targets: readonly WeighedTarget[];
}

/** By propensity; where that is told only by trying, by score. */
export function likeliest(candidates: readonly CandidateScore[]): string | undefined {
  let best: CandidateScore | undefined;
  for (const one of candidates.filter(({ available }) => available)) {
    const isBetter =
      best === undefined || (Number.isNaN(one.propensity) ? one.score < best.score : one.propensity > best.propensity);
    if (isBetter) best = one;
  }
  return best?.target;
}

/**
 * Those that were no candidates of the last decision on an event that may go to the same targets, or to some of them. A record
 * tells who was, but not why others were not.
 */
export function missingFrom({ decisions }: RecentChoice, allowed: readonly string[]): readonly string[] {
  const last = decisions.findLast(({ attempt, eligible }) => {
    return attempt === 1 && eligible.every((name) => allowed.includes(name));
  });
  return last === undefined ? [] : allowed.filter((name) => !last.eligible.includes(name));
}

/** As they were recorded, or as the selector has them now. */
export function featuresOf(
  selector: Selector,
  recent: RecentChoice | undefined,
  records: RecentRecords | undefined,
):
  | { readonly columns: readonly RecordedFeature[]; readonly features: Float32Array; readonly classes: number }
  | undefined {
  const recorded = recent?.snapshots.at(-1);
  const names = selector.targets.map(({ name }) => name);
  const snapshot = selector.snapshot();
  if (records !== undefined && recorded?.at === snapshot?.at && recorded?.targets.join() === names.join()) {
    return { columns: records.header.schema.features, ...recorded };
  }
  return snapshot && { ...snapshot, columns: GATEWAY_SCHEMA.features };
}

export function weighed(
  { target, available, inFlight, score, propensity, parts }: CandidateScore,
  selector: Selector,
  bytes: number,
  known: ReturnType<typeof featuresOf>,
): WeighedTarget {
  const { meanMs, q95Ms, failureShare, ...rest } = parts;
  const index = selector.targets.findIndex(({ name }) => name === target);
  const { scores, classes = 1 } = selector.snapshot() ?? {};
  const size = selector.sizeClass(bytes);
  const at = (index * classes + size) * SCORE_COLUMNS;
  const [mean, q95, failure] = scores?.subarray(at, at + SCORE_COLUMNS) ?? [];
  const isScored = mean !== undefined && q95 !== undefined && failure !== undefined;
  return {
    target,
    available,
    ...(available
      ? {}
      : { reason: 'was no candidate of the last decision: no room, no connection or an open breaker' }),
    inFlight,
    ...(Number.isNaN(score) ? {} : { score }),
    ...(Number.isNaN(propensity) ? {} : { propensity }),
    parts: rest,
    ...(meanMs === undefined || q95Ms === undefined || failureShare === undefined
      ? {}
      : { expected: { ms: meanMs, q95Ms, failure: failureShare } }),
    ...(isScored ? { scores: { ms: Math.exp(mean), q95Ms: Math.exp(q95), failure } } : {}),
    features:
      known === undefined
        ? {}
        : rawRow(known.columns, known.features, index * known.classes + Math.min(size, known.classes - 1)),
  };
}
