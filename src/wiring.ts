import type { AdapterSpec } from './adapters/spec.ts';
import type { Components, Environment } from './components.ts';
import type { GatewayConfig, RouteConfig, TargetConfig } from './config/types.ts';
import { LegCounters } from './core/counters.ts';
import type { DeadLetterKeeper } from './core/dead-letter.ts';
import type { DeliverySettings } from './core/routing.ts';
import type { SendLimits, Target } from './core/target.ts';
import { SourceIntake } from './pipeline/intake.ts';
import { Lane } from './pipeline/lane.ts';
import type { LegOwner, LegSpec } from './pipeline/leg.ts';
import { Pipeline, type RoutePlan, type UnmatchedPlan } from './pipeline/pipeline.ts';
import { Availability } from './policies/availability.ts';
import { afterFailure } from './policies/retry.ts';
import { compileGate } from './router/gate.ts';
import { LinearMatcher } from './router/linear-matcher.ts';

/** The data path of one configuration. */
export interface DataPath {
  readonly pipeline: Pipeline;
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly routes: readonly RoutePlan[];
  readonly intakes: readonly SourceIntake[];
  /** By number of route: how often an expression of its filters failed or gave no Boolean. */
  readonly filterErrors: readonly number[];
}

/** Wires lanes, routes and intakes around the components. Nothing flows until sources and targets are opened. */
export function wire(
  config: GatewayConfig,
  parts: Components,
  env: Environment,
  deadLetters: DeadLetterKeeper,
): DataPath {
  const owner: { pipeline?: Pipeline } = {};
  const relay: LegOwner = {
    done: (leg, now) => owner.pipeline?.done(leg, now),
    failed: (leg, cause, now) => owner.pipeline?.failed(leg, cause, now),
  };
  const intakes: SourceIntake[] = [];
  const onPressure = (lane: Lane, full: boolean): void => {
    if (!full) for (const intake of intakes) intake.release(lane);
  };
  const lanes = new Map(
    config.targets.map((target) => [
      target.name,
      createLane(target, parts.targets.get(target.name) as Target, env, relay, onPressure),
    ]),
  );
  const routes = config.routes.map((route) => planRoute(route, config, lanes));
  const unmatched = planUnmatched(config, lanes);
  const numbers = new Map(config.sources.map(({ name }, number) => [name, number]));
  const filterErrors = config.routes.map(() => 0);
  const matcher = new LinearMatcher(
    config.routes.map((route) => ({
      from: route.from.map((name) => numbers.get(name) as number),
      filters: route.when.filters,
      continue: route.continue,
      disabled: route.state === 'disabled',
      only: compileGate(route, () => env.clock.wall()),
    })),
    (number) => {
      filterErrors[number] = (filterErrors[number] as number) + 1;
    },
  );
  const { clock, random, log } = env;
  const pipeline = new Pipeline({ matcher, routes, unmatched, lanes, deadLetters, clock, random, log });
  owner.pipeline = pipeline;
  config.sources.forEach((source, number) => {
    const sending = config.routes.filter(({ from, state }) => state === 'active' && from.includes(source.name));
    const fed = sending.flatMap(({ to }) => to);
    if (typeof config.unmatched === 'object') fed.push(...config.unmatched.to);
    intakes.push(
      new SourceIntake({
        name: source.name,
        number,
        source: parts.sources.get(source.name) as never,
        keyed: source.order === 'key',
        lanes: [...new Set(fed)].map((name) => lanes.get(name) as Lane),
        window: source.window,
      }),
    );
  });
  return { pipeline, lanes, routes, intakes, filterErrors };
}

function createLane(
  config: TargetConfig,
  target: Target,
  env: Environment,
  owner: LegOwner,
  onPressure: (lane: Lane, full: boolean) => void,
): Lane {
  const spec = env.adapters.find(({ type }) => type === config.kind) as AdapterSpec;
  const limits: SendLimits = {
    ...target.limits,
    ...config.batch,
    ...(config.concurrency === undefined ? {} : { concurrency: config.concurrency }),
  };
  return new Lane({
    name: config.name,
    target,
    limits,
    orderedBatch: spec.target?.features.orderedBatch ?? false,
    maxEvents: config.lane.maxEvents,
    maxBytes: config.lane.maxBytes,
    availability: new Availability(env.random),
    policies: [],
    retry: (leg, failure) => afterFailure(leg.spec.settings, leg.attempt, failure, env.random),
    owner,
    clock: env.clock,
    onPressure,
  });
}

function planRoute(route: RouteConfig, config: GatewayConfig, lanes: ReadonlyMap<string, Lane>): RoutePlan {
  const legs = route.to.map((name) => {
    const target = config.targets.find((entry) => entry.name === name) as TargetConfig;
    const { retry = target.delivery.retry, timeoutMs = target.delivery.timeoutMs, deadLetter } = route.delivery;
    return legSpec(route.name, lanes.get(name) as Lane, { ...target.delivery, retry, timeoutMs, deadLetter });
  });
  return { name: route.name, legs, paused: route.state === 'paused' };
}

function planUnmatched(config: GatewayConfig, lanes: ReadonlyMap<string, Lane>): UnmatchedPlan {
  const { unmatched } = config;
  if (typeof unmatched === 'string') return { action: unmatched };
  const legs = unmatched.to.map((name) => {
    const target = config.targets.find((entry) => entry.name === name) as TargetConfig;
    return legSpec('unmatched', lanes.get(name) as Lane, { ...target.delivery, deadLetter: { store: true } });
  });
  return { action: 'send', plan: { name: 'unmatched', legs, paused: false } };
}

function legSpec(route: string, lane: Lane, settings: DeliverySettings): LegSpec {
  return { route, lane, settings, counters: new LegCounters() };
}
