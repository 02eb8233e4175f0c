import type { Environment } from '../components.ts';
import type { ChoiceConfig, GatewayConfig } from '../config/types.ts';
import type { DecisionObserver } from '../core/decision-observer.ts';
import type { Selector } from '../core/selector.ts';
import { GATEWAY_SCHEMA } from '../models/contract.ts';
import { ModelRegistry } from '../models/registry.ts';
import { same } from '../reload/same.ts';
import { type ChoiceTelemetry, Telemetry } from '../telemetry/telemetry.ts';
import { ModelHost, type ModelStatus } from './model-host.ts';

/** A choice in force, as it is observed and supplied with a model. */
interface Tie {
  choice: ChoiceConfig;
  readonly selector: Selector;
  readonly telemetry: ChoiceTelemetry | undefined;
}

/** What is learned from decisions: their records on the disk, and the models that choices go by. */
export class Learning {
  readonly telemetry: Telemetry | undefined;
  readonly #env: Environment;
  readonly #ties = new Map<string, Tie>();
  #hosts = new Map<string, ModelHost>();
  #models: GatewayConfig['models'] = [];

  constructor({ name, telemetry }: GatewayConfig, env: Environment) {
    this.#env = env;
    const { clock, random, log, instance } = env;
    if (telemetry === undefined) return;
    this.telemetry = new Telemetry({
      ...telemetry,
      gateway: name,
      instance,
      schema: GATEWAY_SCHEMA,
      clock,
      random,
      log,
    });
  }

  get models(): readonly ModelStatus[] {
    return [...this.#hosts.values()].map(({ status }) => status);
  }

  /** Observes the decisions of a choice from now on. The observer of a selector before it hears of what that began. */
  tie(choice: ChoiceConfig, selector: Selector, timeoutMs: number): DecisionObserver | undefined {
    const before = this.#ties.get(choice.name);
    if (before?.selector === selector) {
      before.choice = choice;
      this.#supply(before);
      return before.telemetry;
    }
    before?.telemetry?.close();
    const telemetry = this.telemetry?.observe({ name: choice.name, selector, timeoutMs });
    const tie: Tie = { choice, selector, telemetry };
    this.#ties.set(choice.name, tie);
    this.#supply(tie);
    return telemetry;
  }

  untie(name: string): void {
    this.#ties.get(name)?.telemetry?.close();
    this.#ties.delete(name);
  }

  /** Takes up the models of a configuration. Resolves when each has been loaded, or has failed to. Never rejects. */
  async change({ models }: GatewayConfig): Promise<void> {
    const before = new Map(this.#models.map((model) => [model.name, model]));
    const old = this.#hosts;
    this.#models = models;
    this.#hosts = new Map();
    const started: Promise<void>[] = [];
    for (const config of models) {
      const kept = same(before.get(config.name), config) ? old.get(config.name) : undefined;
      if (kept !== undefined) old.delete(config.name);
      const host = kept ?? this.#host(config);
      this.#hosts.set(config.name, host);
      if (kept === undefined) started.push(host.start());
    }
    for (const tie of this.#ties.values()) this.#supply(tie);
    await Promise.all([...started, ...[...old.values()].map((host) => host.close())]);
  }

  /** Writes what was recorded, and lets go of the models. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.close()));
    await this.telemetry?.close();
  }

  #host(config: GatewayConfig['models'][number]): ModelHost {
    const { clock, log } = this.#env;
    return new ModelHost(config, {
      registry: config.registry === undefined ? undefined : new ModelRegistry(config.registry),
      clock,
      log,
      onChange: () => {
        for (const tie of this.#ties.values()) if (tie.choice.model === config.name) this.#supply(tie);
      },
    });
  }

  #supply({ choice, selector }: Tie): void {
    const { model, mode, canary } = choice;
    const scorer = model === undefined || mode === 'off' ? undefined : this.#hosts.get(model)?.scorer;
    selector.use(scorer, mode === 'shadow' ? 0 : mode === 'canary' ? canary : 1);
  }
}
