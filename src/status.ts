import type { BreakerStatus } from './breaker.ts';
import type { GatewayConfig } from './config/types.ts';
import type { CandidateCounters, DecisionCounters, LegCounters, SourceCounters } from './core/counters.ts';
import type { SelectorName } from './core/selector.ts';
import type { Health } from './core/source.ts';
import type { Learning, ModelStatus } from './learning/learning.ts';
import type { TracingCounters } from './observability/tracing/span-queue.ts';
import type { ChoiceLane } from './pipeline/choice-lane.ts';
import type { Retired } from './pipeline/ledger.ts';
import type { TelemetryCounters } from './telemetry/recorder.ts';
import type { DataPath } from './wiring.ts';

export interface SourceStatus {
  readonly name: string;
  readonly kind: string;
  readonly health: Health;
  readonly held: boolean;
  readonly counters: SourceCounters;
}

export interface TargetStatus {
  readonly name: string;
  readonly kind: string;
  readonly health: Health;
  readonly depth: number;
  readonly bytes: number;
  readonly full: boolean;
  /** Where a policy of the target has a circuit breaker. */
  readonly breaker?: BreakerStatus | undefined;
}

export interface ChoiceStatus {
  readonly name: string;
  readonly by: SelectorName;
  /** Legs that wait or are under way. */
  readonly depth: number;
  readonly bytes: number;
  readonly full: boolean;
  /** By what was decided. */
  readonly decisions: DecisionCounters;
  readonly targets: readonly {
    readonly target: string;
    /** Attempts under way. */
    readonly inFlight: number;
    readonly counters: CandidateCounters;
  }[];
}

export interface RouteStatus {
  readonly name: string;
  /** How often a `sql` filter failed (a missing attribute, a cast, …) or gave no Boolean: no match. */
  readonly filterErrors: number;
  readonly legs: readonly { readonly target: string; readonly counters: LegCounters }[];
}

/** Which configuration is in force, and how the attempts to replace it ended. */
export interface ReloadStatus {
  /** Of the configuration in force; see {@link GatewayConfig.revision}. */
  readonly revision: string;
  readonly succeeded: number;
  readonly failed: number;
  /** Why the last attempt failed, kept until one succeeds; `findings` as `file:line:column error CODE: message`. */
  readonly lastError?: ReloadError | undefined;
  /** Sources and targets of earlier configurations that still finish what they have. */
  readonly leaving: readonly string[];
}

export interface ReloadError {
  readonly code: string;
  readonly message: string;
  readonly findings: readonly string[];
  /** When it failed, as an ISO 8601 time. */
  readonly at: string;
}

/** What the CLI's live summary, metrics and tests read of a gateway. */
export interface GatewayStatus {
  readonly name: string;
  readonly state: string;
  readonly sources: readonly SourceStatus[];
  readonly targets: readonly TargetStatus[];
  readonly choices: readonly ChoiceStatus[];
  readonly models: readonly ModelStatus[];
  /** Undefined without the section `telemetry`. */
  readonly telemetry: TelemetryCounters | undefined;
  /** Undefined without the section `tracing`. */
  readonly tracing: TracingCounters | undefined;
  readonly routes: readonly RouteStatus[];
  /** Deliveries that no route took: bytes that were no event, events that matched nothing. */
  readonly aside: { readonly poison: LegCounters; readonly unmatched: LegCounters };
  /** Events that wait for a schema, once for each of their routes. */
  readonly schemas: { readonly waiting: number };
  readonly deadLetters: {
    readonly waiting: number;
    readonly lastError?: { code: string; message: string } | undefined;
  };
  /** What was counted of sources and routes that a reload has taken away. */
  readonly retired: Retired;
  readonly reload: ReloadStatus;
  /** True while both accounting identities hold, over the whole life of the process. */
  readonly balanced: boolean;
}

export function readStatus(
  config: GatewayConfig,
  state: string,
  path: DataPath,
  { learning, tracing }: { learning: Learning; tracing: { readonly counters: TracingCounters } | undefined },
  reload: ReloadStatus,
): GatewayStatus {
  const { pipeline, intakes, lanes, routes, matching, ledger } = path;
  const { aside, deadLettering } = pipeline;
  return {
    name: config.name,
    state,
    sources: intakes.map(({ name, number, source, held, counters }) => {
      return { name, kind: config.sources[number]?.kind ?? '', health: source.health(), held, counters };
    }),
    targets: config.targets.map(({ name, kind }) => {
      const lane = lanes.get(name);
      if (lane === undefined) throw new Error(`no lane for target ${name}`);
      const { depth, bytes, full } = lane;
      return { name, kind, health: lane.target.health(), depth, bytes, full, breaker: path.breaker(lane) };
    }),
    telemetry: learning.telemetry?.counters,
    tracing: tracing?.counters,
    models: learning.models,
    choices: config.choices.map(({ name }) => choiceStatus(path.choice(name))),
    routes: routes.map((route, number) => ({
      name: route.name,
      filterErrors: matching[number]?.filterErrors ?? 0,
      legs: route.legs.map(({ lane, counters }) => ({ target: lane.name, counters })),
    })),
    aside,
    schemas: { waiting: pipeline.admission.waiting },
    deadLetters: { waiting: deadLettering.waiting, lastError: deadLettering.lastError },
    retired: path.retired(),
    reload,
    balanced: ledger.balanced() && aside.poison.balanced() && aside.unmatched.balanced(),
  };
}

function choiceStatus({ name, setup, depth, bytes, full, decisions, candidates }: ChoiceLane): ChoiceStatus {
  const { selector } = setup;
  return {
    name,
    by: selector.by,
    depth,
    bytes,
    full,
    decisions,
    targets: selector.targets.map(({ name: target }, index) => {
      return { target, inFlight: selector.inFlight(index), counters: candidates.get(target) as CandidateCounters };
    }),
  };
}
