import { LegCounters } from '../../src/core/counters.ts';
import type { DeadLetterInit, DeadLetterKeeper } from '../../src/core/dead-letter.ts';
import type { Delivery, Outcome } from '../../src/core/delivery.ts';
import { silentLog } from '../../src/core/log.ts';
import type { LanePolicy } from '../../src/core/policy.ts';
import type { DeliverySettings } from '../../src/core/routing.ts';
import type { SelectorName } from '../../src/core/selector.ts';
import type { Source } from '../../src/core/source.ts';
import { CONFIRMED, type Leg, type SendLimits, type SendResult, type Target } from '../../src/core/target.ts';
import type { Transform } from '../../src/core/transform.ts';
import type { Validator } from '../../src/core/validation.ts';
import { ChoiceLane } from '../../src/pipeline/choice-lane.ts';
import { SourceIntake } from '../../src/pipeline/intake.ts';
import { Lane } from '../../src/pipeline/lane.ts';
import type { LegLane, LegOwner } from '../../src/pipeline/leg.ts';
import { Pipeline, type UnmatchedPlan } from '../../src/pipeline/pipeline.ts';
import { Availability } from '../../src/policies/availability.ts';
import { afterFailure } from '../../src/policies/retry.ts';
import { LinearMatcher } from '../../src/router/linear-matcher.ts';
import { createSelector } from '../../src/selecting.ts';
import { jsonEvent } from '../setup/events.ts';
import { FakeClock } from '../setup/fake-clock.ts';

export const SETTINGS: DeliverySettings = {
  retry: 3,
  backoff: { policy: 'exponential', delayMs: 100, maxMs: 1_000 },
  retryAfterMaxMs: 5_000,
  timeoutMs: 1_000,
  maxAgeMs: undefined,
  deadLetter: { store: true },
};

export type Behaviour = (leg: Leg, send: number) => SendResult;

/** A target that answers after `latencyMs` on the fake clock with what `behaviour` says. */
export class FakeTarget implements Target {
  readonly limits: SendLimits;
  readonly sends: Leg[][] = [];
  readonly accepted: Leg[] = [];
  behaviour: Behaviour = () => CONFIRMED;
  running = 0;
  readonly #clock: FakeClock;
  readonly #latencyMs: () => number;

  constructor(clock: FakeClock, latencyMs: () => number, limits: Partial<SendLimits> = {}) {
    this.limits = { maxEvents: 8, maxBytes: 1_000_000, concurrency: 2, ...limits };
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  async open(): Promise<void> {}

  send(legs: readonly Leg[]): Promise<readonly SendResult[]> {
    this.sends.push([...legs]);
    this.running += 1;
    return new Promise((resolve) => {
      this.#clock.after(this.#latencyMs(), () => {
        this.running -= 1;
        const results = legs.map((leg) => this.behaviour(leg, this.sends.length));
        legs.forEach((leg, i) => {
          if (results[i]?.status === 'confirmed') this.accepted.push(leg);
        });
        resolve(results);
      });
    });
  }

  async backlog(): Promise<undefined> {}
  check = async () => [];
  health = () => ({ status: 'up' as const });
  async close(): Promise<void> {}
}

export interface RigOptions {
  readonly orderedBatch?: boolean;
  readonly settings?: Partial<DeliverySettings>;
  readonly unmatched?: UnmatchedPlan;
  readonly lane?: { maxEvents?: number; maxBytes?: number };
  readonly window?: { maxEvents: number; maxBytes: number };
  readonly targets?: readonly string[];
  readonly random?: () => number;
  readonly latencyMs?: () => number;
  readonly limits?: Partial<SendLimits>;
  /** False: the targets have not connected yet. */
  readonly open?: boolean;
  /** Route filters; default matches everything. */
  readonly type?: string;
  /** The route holds its legs. */
  readonly paused?: boolean;
  readonly validator?: Validator;
  readonly transform?: Transform;
  /** Beside availability; of all lanes. */
  readonly policies?: readonly LanePolicy[];
  /** The route leads to a choice `c` of all targets instead of to each of them. */
  readonly choice?: {
    readonly by: SelectorName;
    readonly onUnknown?: 'wait' | 'reselect';
    readonly eligible?: (id: string) => readonly number[];
  };
}

/** One source, one route to the given targets, all on a fake clock. */
export function rig(options: RigOptions = {}) {
  const clock = new FakeClock();
  const random = options.random ?? (() => 0.5);
  const letters: DeadLetterInit[] = [];
  const keeping = { fail: undefined as Error | undefined };
  const deadLetters: DeadLetterKeeper = {
    async put(batch) {
      if (keeping.fail !== undefined) throw keeping.fail;
      letters.push(...batch);
    },
    wrap: (letter) => jsonEvent(0, { type: 'wrapped', subject: letter.code }),
  };
  const calls: string[] = [];
  const source = { pause: () => calls.push('pause'), resume: () => calls.push('resume') } as unknown as Source;
  const owner: { current?: Pipeline } = {};
  const relay: LegOwner = {
    done: (leg, now) => owner.current?.done(leg, now),
    failed: (leg, cause, now) => owner.current?.failed(leg, cause, now),
    withdrawn: (leg) => owner.current?.withdrawn(leg),
  };
  const settings = { ...SETTINGS, ...options.settings };
  const targets = new Map<string, FakeTarget>();
  const lanes = new Map<string, Lane>();
  for (const name of options.targets ?? ['a']) {
    const target = new FakeTarget(clock, options.latencyMs ?? (() => 1), options.limits);
    targets.set(name, target);
    const lane = new Lane({
      name,
      target,
      limits: target.limits,
      orderedBatch: options.orderedBatch ?? false,
      maxEvents: options.lane?.maxEvents ?? 1_000,
      maxBytes: options.lane?.maxBytes ?? 10_000_000,
      availability: new Availability(random),
      policies: options.policies ?? [],
      retry: (leg, failure) => afterFailure(leg.spec.settings, leg.attempt, failure, random),
      owner: relay,
      clock,
      onPressure: (which, full) => {
        if (full) return;
        intake.release(which);
        owner.current?.relieved();
      },
    });
    if (options.open !== false) lane.open();
    lanes.set(name, lane);
  }
  const places: LegLane[] = [...lanes.values()];
  const choice =
    options.choice === undefined
      ? undefined
      : chooseAmong([...lanes.values()], options.choice, {
          settings,
          random,
          clock,
          owner: relay,
          onPressure: (which, full) => {
            if (!full) intake.release(which);
          },
        });
  if (choice !== undefined) places.splice(0, places.length, choice);
  const legs = places
    .filter(({ name }) => name !== settings.deadLetter.target)
    .map((lane) => ({ route: 'r', lane, settings, counters: new LegCounters() }));
  const filters = options.type === undefined ? [] : [{ exact: { type: options.type } }];
  const pipeline = new Pipeline({
    plan: {
      matcher: new LinearMatcher([{ from: [0], filters, continue: true, disabled: false }]),
      routes: [
        {
          name: 'r',
          legs,
          paused: options.paused ?? false,
          validator: options.validator,
          transform: options.transform,
        },
      ],
      unmatched: options.unmatched ?? { action: 'dead-letter' },
      lanes: new Map<string, LegLane>([...lanes, ...(choice === undefined ? [] : [[choice.name, choice] as const])]),
    },
    deadLetters,
    clock,
    random,
    log: silentLog,
  });
  owner.current = pipeline;
  const window = options.window ?? { maxEvents: 10_000, maxBytes: 1e9 };
  const intake = new SourceIntake({ name: 'in', number: 0, source, keyed: true, lanes: places, window });
  intake.opened();
  const outcomes = new Map<string, Outcome[]>();
  const deliver = (deliveries: readonly Delivery[]): void => {
    pipeline.take(intake, {
      deliveries,
      settle: (index, outcome) => {
        const id = deliveries[index]?.event?.id ?? `poison-${index}`;
        outcomes.set(id, [...(outcomes.get(id) ?? []), outcome]);
      },
    });
  };
  const balanced = (): boolean =>
    intake.counters.balanced() &&
    [...legs.map(({ counters }) => counters), pipeline.aside.poison, pipeline.aside.unmatched].every((c) =>
      c.balanced(),
    );
  return {
    clock,
    pipeline,
    intake,
    lanes,
    choice,
    targets,
    target: targets.get('a') as FakeTarget,
    legs,
    letters,
    keeping,
    calls,
    outcomes,
    deliver,
    balanced,
  };
}

function chooseAmong(
  lanes: readonly Lane[],
  { by, onUnknown = 'reselect', eligible }: NonNullable<RigOptions['choice']>,
  deps: {
    settings: DeliverySettings;
    random: () => number;
    clock: FakeClock;
    owner: LegOwner;
    onPressure: (which: ChoiceLane, full: boolean) => void;
  },
): ChoiceLane {
  const { settings, random, clock, owner, onPressure } = deps;
  const all = lanes.map((_, index) => index);
  const lane = new ChoiceLane(
    {
      name: 'c',
      maxEvents: 1_000,
      maxBytes: 10_000_000,
      retry: (leg, failure) => afterFailure(leg.spec.settings, leg.attempt, failure, random),
      owner,
      clock,
      onPressure,
    },
    {
      selector: createSelector(
        { by, targets: lanes.map(({ name }) => ({ name })), timeoutMs: settings.timeoutMs },
        { now: () => clock.now(), random },
      ),
      targets: lanes.map((lane) => ({ lane, delivery: settings })),
      eligible: (event) => eligible?.(event.id) ?? all,
      onUnknown,
    },
  );
  lane.open();
  return lane;
}

/** A delivery of event `n` under a key. */
export function delivery(n: number, key?: string): Delivery & { event: NonNullable<Delivery['event']> } {
  return { event: jsonEvent(n, { id: String(n) }), attempt: 1, orderingKey: key, meta: { position: { n } } };
}
