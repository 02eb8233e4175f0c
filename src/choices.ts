import type { Environment } from './components.ts';
import type { ChoiceConfig, GatewayConfig, TargetConfig } from './config/types.ts';
import type { SelectorConfig } from './core/selector.ts';
import type { Learning } from './learning/learning.ts';
import type { ChoiceSetup } from './pipeline/attempt.ts';
import { ChoiceLane } from './pipeline/choice-lane.ts';
import type { Lane } from './pipeline/lane.ts';
import type { LegOwner } from './pipeline/leg.ts';
import { afterFailure } from './policies/retry.ts';
import { same } from './reload/same.ts';
import { compileRequire } from './router/require.ts';
import { createSelector } from './selecting.ts';
import { BacklogPoller, type PolledTarget } from './telemetry/backlog-poller.ts';

/** What a choice tells beside its legs. */
export interface ChoiceHooks {
  readonly learning: Learning;
  readonly owner: LegOwner;
  readonly onPressure: (lane: ChoiceLane, full: boolean) => void;
}

/** A choice of one configuration, ready to be put in force. */
interface Planned {
  readonly config: ChoiceConfig;
  readonly selecting: SelectorConfig & { readonly timeoutMs: number };
  readonly setup: ChoiceSetup;
}

/** The choices of one configuration, not in force yet. */
export interface StagedChoices {
  /** By name. */
  readonly lanes: ReadonlyMap<string, ChoiceLane>;
  readonly planned: ReadonlyMap<string, Planned>;
  /** Of the configuration's targets, by name. */
  readonly targets: ReadonlyMap<string, TargetConfig>;
  readonly targetLanes: ReadonlyMap<string, Lane>;
}

/**
 * The lanes of choices. A choice keeps its lane for as long as its name is in the configuration, and what its selector has
 * learned for as long as nothing changes that the selector goes by; a reload only tells the lane where to send from now on.
 */
export class Choices {
  readonly #env: Environment;
  readonly #hooks: ChoiceHooks;
  readonly #lanes = new Map<string, ChoiceLane>();
  readonly #inForce = new Map<string, Planned>();
  #backlogs: BacklogPoller | undefined;

  constructor(env: Environment, hooks: ChoiceHooks) {
    this.#env = env;
    this.#hooks = hooks;
  }

  /** Plans the choices of a configuration over the lanes of its targets. Changes nothing. Throws FairleadError `E_TEMPLATE`. */
  stage(config: GatewayConfig, targetLanes: ReadonlyMap<string, Lane>): StagedChoices {
    const targets = new Map(config.targets.map((target) => [target.name, target]));
    const planned = new Map(
      config.choices.map((choice) => {
        return [choice.name, this.#plan(choice, targets, targetLanes, longestTimeoutMs(choice, config))];
      }),
    );
    const lanes = new Map(
      [...planned].map(([name, plan]) => [name, this.#lanes.get(name) ?? this.#createLane(plan, targets)]),
    );
    return { lanes, planned, targets, targetLanes };
  }

  /** Puts them in force, between two batches. A choice that is gone sees to what it still has. */
  commit({ lanes, planned, targets, targetLanes }: StagedChoices): void {
    const { learning } = this.#hooks;
    for (const [name, lane] of lanes) {
      const plan = planned.get(name) as Planned;
      const { config, selecting, setup } = plan;
      const observer = learning.tie(config, setup.selector, selecting.timeoutMs);
      lane.rewire({ ...setup, observer });
      if (!this.#lanes.has(name)) lane.open();
      this.#lanes.set(name, lane);
      this.#inForce.set(name, plan);
    }
    for (const [name, lane] of this.#lanes) {
      if (lanes.has(name)) continue;
      const { config } = this.#inForce.get(name) as Planned;
      learning.untie(name);
      const left = config.targets.filter(({ target }) => targets.has(target));
      lane.leave(this.#plan({ ...config, targets: left }, targets, targetLanes, 0).setup);
      if (lane.depth > 0) continue;
      lane.stop();
      this.#lanes.delete(name);
      this.#inForce.delete(name);
    }
    this.#poll([...planned.values()]);
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#backlogs?.stop();
    for (const lane of this.#lanes.values()) lane.stop();
  }

  #plan(
    config: ChoiceConfig,
    targets: ReadonlyMap<string, TargetConfig>,
    lanes: ReadonlyMap<string, Lane>,
    longestMs: number,
  ): Planned {
    const members = config.targets.map(({ target }) => targets.get(target) as TargetConfig);
    const selecting = selectorConfig(config, members, longestMs, this.#hooks.learning.telemetry !== undefined);
    const before = this.#inForce.get(config.name);
    const { clock, random } = this.#env;
    const selector =
      before !== undefined && same(before.selecting, selecting)
        ? before.setup.selector
        : createSelector(selecting, { now: () => clock.now(), wall: () => clock.wall(), random });
    const setup: ChoiceSetup = {
      selector,
      targets: members.map(({ name, delivery }) => ({ lane: lanes.get(name) as Lane, delivery })),
      eligible: compileRequire(config.require, members),
      onUnknown: config.onUnknown,
    };
    return { config, selecting, setup };
  }

  /** Asks the brokers how much waits behind the targets, for the selectors that go by it. */
  #poll(planned: readonly Planned[]): void {
    const { clock, random, log } = this.#env;
    const polled = new Map<string, PolledTarget & { readonly told: ((depth: number, ageMs: number) => void)[] }>();
    for (const { config, setup, selecting } of planned) {
      if (config.by !== 'adaptive' && config.by !== 'predictive' && selecting.telemetry !== true) continue;
      for (const [index, { lane }] of setup.targets.entries()) {
        const { name, target } = lane;
        const told = polled.get(name)?.told ?? [];
        told.push((depth, ageMs) => setup.selector.backlog(index, depth, ageMs));
        const onDepth = (depth: number, ageMs: number): void => {
          for (const tell of told) tell(depth, ageMs);
        };
        polled.set(name, { name, target, onDepth, told });
      }
    }
    this.#backlogs?.stop();
    this.#backlogs = new BacklogPoller({ targets: [...polled.values()], clock, random, log });
  }

  #createLane({ config, setup }: Planned, targets: ReadonlyMap<string, TargetConfig>): ChoiceLane {
    const { clock, random } = this.#env;
    const { owner, onPressure } = this.#hooks;
    const bounds = config.targets.map(({ target }) => (targets.get(target) as TargetConfig).lane);
    return new ChoiceLane(
      {
        name: config.name,
        maxEvents: Math.max(...bounds.map(({ maxEvents }) => maxEvents)),
        maxBytes: Math.max(...bounds.map(({ maxBytes }) => maxBytes)),
        retry: (leg, failure) => afterFailure(leg.spec.settings, leg.attempt, failure, random),
        clock,
        owner,
        onPressure,
      },
      setup,
    );
  }
}

/** What the selector of a choice goes by. */
export function selectingBy(choice: ChoiceConfig, config: GatewayConfig): SelectorConfig {
  const targets = new Map(config.targets.map((target) => [target.name, target]));
  const members = choice.targets.map(({ target }) => targets.get(target) as TargetConfig);
  return selectorConfig(choice, members, longestTimeoutMs(choice, config), config.telemetry !== undefined);
}

/** Of the routes that send to the choice, where they say it. */
function longestTimeoutMs({ name }: ChoiceConfig, { routes }: GatewayConfig): number {
  const said = routes.filter(({ to }) => to.includes(name)).map(({ delivery }) => delivery.timeoutMs);
  return Math.max(0, ...said.map((ms) => ms ?? 0));
}

function selectorConfig(
  choice: ChoiceConfig,
  members: readonly TargetConfig[],
  longestMs: number,
  telemetry: boolean,
): Planned['selecting'] {
  const { by, mode, sloMs, weights, explore } = choice;
  return {
    by: by === 'predictive' && mode === 'off' ? 'adaptive' : by,
    targets: members.map(({ name, kind, cost, capacity, floorMs }, at) => {
      return { name, weight: choice.targets[at]?.weight, cost, capacity, floorMs, protocol: kind };
    }),
    sloMs,
    timeoutMs: Math.max(1, longestMs, ...members.map(({ delivery }) => delivery.timeoutMs)),
    weights,
    explore,
    telemetry,
  };
}
