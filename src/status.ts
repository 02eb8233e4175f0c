import type { GatewayConfig } from './config/types.ts';
import type { LegCounters, SourceCounters } from './core/counters.ts';
import type { Health } from './core/source.ts';
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
}

export interface RouteStatus {
  readonly name: string;
  /** How often a `sql` filter failed (a missing attribute, a cast, …) or gave no Boolean: no match. */
  readonly filterErrors: number;
  readonly legs: readonly { readonly target: string; readonly counters: LegCounters }[];
}

/** What the CLI's live summary, metrics and tests read of a gateway. */
export interface GatewayStatus {
  readonly name: string;
  readonly state: string;
  readonly sources: readonly SourceStatus[];
  readonly targets: readonly TargetStatus[];
  readonly routes: readonly RouteStatus[];
  /** Deliveries that no route took: bytes that were no event, events that matched nothing. */
  readonly aside: { readonly poison: LegCounters; readonly unmatched: LegCounters };
  readonly deadLetters: {
    readonly waiting: number;
    readonly lastError?: { code: string; message: string } | undefined;
  };
  /** True while both accounting identities hold. */
  readonly balanced: boolean;
}

export function readStatus(config: GatewayConfig, state: string, path: DataPath): GatewayStatus {
  const { pipeline, intakes, lanes, routes, filterErrors } = path;
  const { aside, deadLettering } = pipeline;
  const planned = [...routes, ...(pipeline.unmatchedPlan === undefined ? [] : [pipeline.unmatchedPlan])];
  const legs = [
    ...planned.flatMap((route) => route.legs.map(({ counters }) => counters)),
    aside.poison,
    aside.unmatched,
  ];
  return {
    name: config.name,
    state,
    sources: intakes.map(({ name, number, source, held, counters }) => {
      return { name, kind: config.sources[number]?.kind ?? '', health: source.health(), held, counters };
    }),
    targets: config.targets.map(({ name, kind }) => {
      const lane = lanes.get(name);
      if (lane === undefined) throw new Error(`no lane for target ${name}`);
      return { name, kind, health: lane.target.health(), depth: lane.depth, bytes: lane.bytes, full: lane.full };
    }),
    routes: planned.map((route, number) => ({
      name: route.name,
      filterErrors: filterErrors[number] ?? 0,
      legs: route.legs.map(({ lane, counters }) => ({ target: lane.name, counters })),
    })),
    aside,
    deadLetters: { waiting: deadLettering.waiting, lastError: deadLettering.lastError },
    balanced: intakes.every(({ counters }) => counters.balanced()) && legs.every((counters) => counters.balanced()),
  };
}
