import type { AdapterSpec } from './adapters/spec.ts';
import { type BreakerStatus, breakerStatus, createBreaker } from './breaker.ts';
import { Choices, type StagedChoices } from './choices.ts';
import type { Environment } from './components.ts';
import type { GatewayConfig, RouteConfig, SourceConfig, TargetConfig } from './config/types.ts';
import type { RouteCounters } from './core/counters.ts';
import type { DeadLetterKeeper } from './core/dead-letter.ts';
import type { DeliverySettings, RouteMatcher } from './core/routing.ts';
import type { Source } from './core/source.ts';
import type { SendLimits, Target } from './core/target.ts';
import type { Tracer } from './core/tracer.ts';
import type { Learning } from './learning/learning.ts';
import type { ChoiceLane } from './pipeline/choice-lane.ts';
import { SourceIntake } from './pipeline/intake.ts';
import { Lane } from './pipeline/lane.ts';
import { type CountedNames, Ledger, legName, type Retired } from './pipeline/ledger.ts';
import type { LegLane, LegOwner, LegSpec } from './pipeline/leg.ts';
import { Pipeline, type Plan, type RoutePlan, type UnmatchedPlan } from './pipeline/pipeline.ts';
import { Availability } from './policies/availability.ts';
import type { CircuitBreaker } from './policies/circuit-breaker.ts';
import { afterFailure } from './policies/retry.ts';
import { same } from './reload/same.ts';
import { compileGate } from './router/gate.ts';
import { buildMatcher, IndexedMatcher } from './router/index/indexed-matcher.ts';
import type { MatchedRoute } from './router/linear-matcher.ts';
import { RouteValidators } from './schema/route-validators.ts';
import { placeOf } from './tracing.ts';
import { compileTransform } from './transform/compile.ts';
import { JsonataPool } from './transform/jsonata/pool.ts';

/** What counts and plans the events that no route matched, beside the names of routes. */
const UNMATCHED = 'unmatched';

/** The components that are wired: of a reload, only those that are new or take the place of another. */
export interface Parts {
  readonly sources: ReadonlyMap<string, Source>;
  readonly targets: ReadonlyMap<string, Target>;
}

/** What the data path tells of events, and where it leaves those that cannot be delivered. */
export interface Services {
  readonly deadLetters: DeadLetterKeeper;
  readonly learning: Learning;
  readonly tracer?: Tracer | undefined;
}

/** One configuration, planned and ready to be put in force. */
export interface Wired {
  readonly config: GatewayConfig;
  readonly plan: Plan;
  /** By name, as the plan has them. */
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly choices: StagedChoices;
  /** In the order of the configuration. */
  readonly intakes: readonly SourceIntake[];
  /** By number of route. */
  readonly matching: readonly RouteCounters[];
  /** By name of source: the lanes that its events may come into. */
  readonly fed: ReadonlyMap<string, readonly LegLane[]>;
  readonly names: CountedNames;
  readonly validators: RouteValidators;
}

/** The data path: one pipeline, and the configuration that is in force. Nothing flows until sources and targets are opened. */
export class DataPath {
  readonly pipeline: Pipeline;
  readonly ledger: Ledger = new Ledger();
  readonly #env: Environment;
  /** Intakes that a reload took out and whose sources have not been closed yet. */
  readonly #leaving = new Set<SourceIntake>();
  readonly #evaluator: JsonataPool;
  readonly #choices: Choices;
  readonly #tracer: Tracer | undefined;
  readonly #breakers = new WeakMap<Lane, CircuitBreaker>();
  readonly #owner: LegOwner = {
    done: (leg, now) => this.pipeline.done(leg, now),
    failed: (leg, cause, now) => this.pipeline.failed(leg, cause, now),
    withdrawn: (leg) => this.pipeline.withdrawn(leg),
  };
  readonly #onPressure = (lane: LegLane, full: boolean): void => {
    if (full) return;
    for (const intake of this.intakes) intake.release(lane);
    this.pipeline.relieved();
  };
  #wired: Wired;

  constructor(config: GatewayConfig, parts: Parts, env: Environment, services: Services) {
    const { deadLetters, learning, tracer } = services;
    this.#env = env;
    this.#tracer = tracer;
    this.#evaluator = new JsonataPool(env);
    this.#choices = new Choices(env, { learning, owner: this.#owner, onPressure: this.#onPressure });
    this.#wired = this.#wire(config, parts, new IndexedMatcher(this.#conditions(config), this.#onFilterError(config)));
    const { clock, random, log } = env;
    this.pipeline = new Pipeline({ plan: this.#wired.plan, deadLetters, clock, random, log, tracer });
  }

  get lanes(): ReadonlyMap<string, Lane> {
    return this.#wired.lanes;
  }

  /** The lane of a choice in force. */
  choice(name: string): ChoiceLane {
    return this.#wired.choices.lanes.get(name) as ChoiceLane;
  }

  get intakes(): readonly SourceIntake[] {
    return this.#wired.intakes;
  }

  /** Of the circuit breaker of a lane, if it has one. */
  breaker(lane: Lane): BreakerStatus | undefined {
    const breaker = this.#breakers.get(lane);
    return breaker && breakerStatus(breaker, this.#env);
  }

  /** Routes in the order of the configuration, and last what `unmatched: { to }` plans, which counts like a route. */
  get routes(): readonly RoutePlan[] {
    return countedRoutes(this.#wired.plan);
  }

  /** By number of route. */
  get matching(): readonly RouteCounters[] {
    return this.#wired.matching;
  }

  /**
   * Plans a configuration without putting it in force, in slices, so that batches go on meanwhile. Lanes and intakes of
   * components that are not among `parts` are those that run now. Rejects with FairleadError for a condition that is refused.
   */
  async prepare(config: GatewayConfig, parts: Parts): Promise<Wired> {
    const onFilterError = this.#onFilterError(config);
    const matcher = await buildMatcher(this.#conditions(config), { onFilterError });
    await new Promise((resolve) => setImmediate(resolve));
    return this.#wire(config, parts, matcher);
  }

  /** The one place where plans are made. */
  #wire(config: GatewayConfig, parts: Parts, matcher: RouteMatcher): Wired {
    const lanes = new Map(
      config.targets.map((target) => {
        const part = parts.targets.get(target.name);
        const lane = part === undefined ? this.lanes.get(target.name) : this.#createLane(target, part);
        return [target.name, lane as Lane];
      }),
    );
    const choices = this.#choices.stage(config, lanes);
    const places = new Map<string, LegLane>([...lanes, ...choices.lanes]);
    const matching = config.routes.map(({ name }) => this.ledger.route(name));
    const validators = this.#validators(config);
    const plan: Plan = {
      matcher,
      routes: config.routes.map((route) => this.#planRoute(route, config, places, validators)),
      unmatched: this.#planUnmatched(config, places),
      lanes: places,
    };
    const fed = new Map(config.sources.map(({ name }) => [name, lanesFrom(name, config, places)]));
    const intakes = config.sources.map((source, number) => {
      const part = parts.sources.get(source.name);
      return part === undefined
        ? (this.intakes.find(({ name }) => name === source.name) as SourceIntake)
        : this.#createIntake(source, part, number, fed.get(source.name) ?? []);
    });
    return { config, plan, lanes, choices, intakes, matching, validators, fed, names: namesOf(config, plan) };
  }

  /**
   * Puts a configuration in force, between two batches. What an intake on its way out still hands over is planned under the new
   * configuration too, or refused where its source exists no more.
   */
  swap(wired: Wired): void {
    const { config, plan, fed, intakes, names } = wired;
    for (const intake of this.#wired.intakes) if (!intakes.includes(intake)) this.#leaving.add(intake);
    for (const intake of this.#leaving) if (intake.detached) this.#leaving.delete(intake);
    const before = this.#wired.validators;
    this.#wired = wired;
    this.pipeline.swap(plan);
    this.#choices.commit(wired.choices);
    wired.validators.start(config.routes.map(({ schema }) => schema));
    if (before !== wired.validators) void before.close();
    const numbers = new Map(config.sources.map(({ name }, number) => [name, number]));
    for (const intake of [...this.#leaving, ...intakes]) {
      const number = numbers.get(intake.name);
      if (number === undefined) intake.refuse();
      else intake.rewire(number, fed.get(intake.name) ?? []);
    }
    this.ledger.fold(names);
  }

  /** Lets choices send, and begins to fetch the schemas that routes name. */
  start(): void {
    const { config, validators, choices } = this.#wired;
    this.#choices.commit(choices);
    validators.start(config.routes.map(({ schema }) => schema));
  }

  /** Nothing is planned or sent any more; what has not ended stays unsettled. */
  close(): void {
    this.pipeline.close();
    this.#choices.close();
    this.#evaluator.close();
    void this.#wired.validators.close();
  }

  /** What was counted under names that the configuration no longer has, under way or not. */
  retired(): Retired {
    return this.ledger.sum(this.#wired.names);
  }

  /** Those that run now, with the schemas they have, where nothing has changed about how schemas are fetched. */
  #validators({ schemas }: GatewayConfig): RouteValidators {
    const running = this.#wired as Wired | undefined;
    if (running !== undefined && same(schemas, running.config.schemas)) return running.validators;
    const { clock, random, log } = this.#env;
    return new RouteValidators({ ...schemas, clock, random, log });
  }

  #conditions(config: GatewayConfig): readonly MatchedRoute[] {
    const numbers = new Map(config.sources.map(({ name }, number) => [name, number]));
    return config.routes.map((route) => ({
      from: route.from.map((name) => numbers.get(name) as number),
      filters: route.when.filters,
      pattern: route.when.pattern,
      continue: route.continue,
      disabled: route.state === 'disabled',
      only: compileGate(route, () => this.#env.clock.wall()),
    }));
  }

  #onFilterError(config: GatewayConfig): (route: number) => void {
    const matching = config.routes.map(({ name }) => this.ledger.route(name));
    return (number) => {
      (matching[number] as RouteCounters).filterErrors += 1;
    };
  }

  #createIntake(config: SourceConfig, source: Source, number: number, lanes: readonly LegLane[]): SourceIntake {
    const { name, order, window } = config;
    const counters = this.ledger.source(name);
    return new SourceIntake({
      name,
      number,
      source,
      keyed: order === 'key',
      lanes,
      window,
      counters,
      place: placeOf(config),
    });
  }

  #createLane(config: TargetConfig, target: Target): Lane {
    const { clock, random, adapters } = this.#env;
    const spec = adapters.find(({ type }) => type === config.kind) as AdapterSpec;
    const limits: SendLimits = {
      ...target.limits,
      ...config.batch,
      ...(config.concurrency === undefined ? {} : { concurrency: config.concurrency }),
    };
    const breaker = config.circuitBreaker && createBreaker(config.name, config.circuitBreaker, this.#env);
    const lane = new Lane({
      name: config.name,
      target,
      limits,
      orderedBatch: spec.target?.features.orderedBatch ?? false,
      maxEvents: config.lane.maxEvents,
      maxBytes: config.lane.maxBytes,
      availability: new Availability(random),
      policies: breaker === undefined ? [] : [breaker],
      retry: (leg, failure) => afterFailure(leg.spec.settings, leg.attempt, failure, random),
      owner: this.#owner,
      clock,
      place: this.#tracer && placeOf(config),
      onPressure: this.#onPressure,
    });
    if (breaker !== undefined) this.#breakers.set(lane, breaker);
    return lane;
  }

  #planRoute(
    route: RouteConfig,
    config: GatewayConfig,
    places: ReadonlyMap<string, LegLane>,
    validators: RouteValidators,
  ): RoutePlan {
    const { retry, timeoutMs, deadLetter } = route.delivery;
    const overrides = { ...(retry === undefined ? {} : { retry }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const legs = route.to.map((name) => this.#legSpec(route.name, name, config, places, { ...overrides, deadLetter }));
    const transform = route.transform.length === 0 ? undefined : compileTransform(route.transform, this.#evaluator);
    const { name, state, schema } = route;
    const validator = schema && validators.validator(schema);
    return { name, legs, paused: state === 'paused', disabled: state === 'disabled', validator, transform };
  }

  #planUnmatched(config: GatewayConfig, places: ReadonlyMap<string, LegLane>): UnmatchedPlan {
    const { unmatched } = config;
    if (typeof unmatched === 'string') return { action: unmatched };
    const overrides = { deadLetter: { store: true } };
    const legs = unmatched.to.map((name) => this.#legSpec(UNMATCHED, name, config, places, overrides));
    return { action: 'send', plan: { name: UNMATCHED, legs, paused: false } };
  }

  /** Of a choice, the settings of its first target hold while no target has been chosen. */
  #legSpec(
    route: string,
    to: string,
    { targets, choices }: GatewayConfig,
    places: ReadonlyMap<string, LegLane>,
    overrides: Pick<DeliverySettings, 'deadLetter'> & Partial<DeliverySettings>,
  ): LegSpec {
    const choice = choices.find(({ name }) => name === to);
    const target = choice?.targets[0]?.target ?? to;
    const { delivery } = targets.find(({ name }) => name === target) as TargetConfig;
    const settings = { ...delivery, ...overrides };
    const counters = this.ledger.leg(route, to);
    return { route, lane: places.get(to) as LegLane, settings, counters, overrides: choice && overrides };
  }
}

function countedRoutes({ routes, unmatched }: Plan): readonly RoutePlan[] {
  return unmatched.action === 'send' ? [...routes, unmatched.plan] : routes;
}

function namesOf({ routes, sources }: GatewayConfig, plan: Plan): CountedNames {
  return {
    legs: new Set(countedRoutes(plan).flatMap(({ name, legs }) => legs.map(({ lane }) => legName(name, lane.name)))),
    routes: new Set(routes.map(({ name }) => name)),
    sources: new Set(sources.map(({ name }) => name)),
  };
}

/** The lanes that events of a source may come into; those of paused routes get nothing. */
function lanesFrom(source: string, config: GatewayConfig, places: ReadonlyMap<string, LegLane>): readonly LegLane[] {
  const sending = config.routes.filter(({ from, state }) => state === 'active' && from.includes(source));
  const fed = sending.flatMap(({ to }) => to);
  if (typeof config.unmatched === 'object') fed.push(...config.unmatched.to);
  return [...new Set(fed)].map((name) => places.get(name) as LegLane);
}
