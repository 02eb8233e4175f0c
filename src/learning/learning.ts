import type { Environment } from '../components.ts';
import type { ChoiceConfig, GatewayConfig, ModelConfig } from '../config/types.ts';
import type { DecisionObserver } from '../core/decision-observer.ts';
import type { Selector } from '../core/selector.ts';
import { GATEWAY_SCHEMA } from '../models/contract.ts';
import type { DriftAlarm } from '../models/drift.ts';
import type { DecisionCosts } from '../models/off-policy.ts';
import { ModelRegistry } from '../models/registry.ts';
import { same } from '../reload/same.ts';
import { type ChoiceTelemetry, Telemetry } from '../telemetry/telemetry.ts';
import { ChoiceTally } from './choice-tally.ts';
import { CostBook } from './cost-book.ts';
import { type HostStatus, ModelHost } from './model-host.ts';
import { LEARNING_PACE, type LearningPace } from './pace.ts';
import { Retrainer, type RetrainingStatus } from './retrainer.ts';

/** A choice in force, as it is observed and supplied with a model. */
interface Tie {
  choice: ChoiceConfig;
  readonly selector: Selector;
  readonly timeoutMs: number;
  readonly telemetry: ChoiceTelemetry | undefined;
  /** Of the model of the choice, if it has one. */
  observer: { readonly model: string | undefined; readonly to: DecisionObserver | undefined };
}

/** A model of the configuration. */
interface Student {
  readonly config: ModelConfig;
  readonly host: ModelHost;
  /** Where it is retrained. */
  readonly retrainer: Retrainer | undefined;
}

export interface ModelStatus extends HostStatus {
  /** Where it is retrained. */
  readonly retraining?: RetrainingStatus | undefined;
}

/** What is learned from decisions: their records on the disk, and the models that choices go by. */
export class Learning {
  readonly telemetry: Telemetry | undefined;
  readonly #env: Environment;
  readonly #pace: LearningPace;
  readonly #path: string | undefined;
  readonly #ties = new Map<string, Tie>();
  /** By model: what decisions of its choices cost. */
  readonly #books = new Map<string, CostBook>();
  #students = new Map<string, Student>();
  /** The last training, of whichever model. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ name, telemetry }: GatewayConfig, env: Environment) {
    this.#env = env;
    this.#pace = env.pace ?? LEARNING_PACE;
    this.#path = telemetry?.path;
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
    return [...this.#students.values()].map(({ host, retrainer }) => ({
      ...host.status,
      ...(retrainer === undefined ? {} : { retraining: retrainer.status }),
    }));
  }

  /** Observes the decisions of a choice from now on. The observer of a selector before it hears of what that began. */
  tie(choice: ChoiceConfig, selector: Selector, timeoutMs: number): DecisionObserver | undefined {
    const before = this.#ties.get(choice.name);
    if (before?.selector === selector) {
      before.choice = choice;
      if (before.observer.model !== choice.model) before.observer = this.#observer(before);
      this.#supply(before);
      return before.observer.to;
    }
    before?.telemetry?.close();
    const telemetry = this.telemetry?.observe({ name: choice.name, selector, timeoutMs });
    const tie: Tie = { choice, selector, timeoutMs, telemetry, observer: { model: undefined, to: telemetry } };
    tie.observer = this.#observer(tie);
    this.#ties.set(choice.name, tie);
    this.#supply(tie);
    return tie.observer.to;
  }

  untie(name: string): void {
    this.#ties.get(name)?.telemetry?.close();
    this.#ties.delete(name);
  }

  /** Takes up the models of a configuration. Resolves when each has been loaded, or has failed to. Never rejects. */
  async change({ models }: GatewayConfig): Promise<void> {
    const old = this.#students;
    this.#students = new Map();
    const started: Promise<void>[] = [];
    for (const config of models) {
      const before = old.get(config.name);
      const kept = before !== undefined && same(before.config, config) ? before : undefined;
      if (kept !== undefined) old.delete(config.name);
      const student = kept ?? this.#student(config);
      this.#students.set(config.name, student);
      if (kept === undefined) started.push(start(student));
    }
    for (const tie of this.#ties.values()) this.#supply(tie);
    await Promise.all([...started, ...[...old.values()].map(close)]);
  }

  /** Writes what was recorded, and lets go of the models. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.#students.values()].map(close));
    await this.telemetry?.close();
  }

  #student(config: ModelConfig): Student {
    const { clock, log } = this.#env;
    const registry = config.registry === undefined ? undefined : new ModelRegistry(config.registry);
    const host = new ModelHost(config, {
      registry,
      clock,
      log,
      onChange: () => {
        for (const tie of this.#of(config.name)) this.#supply(tie);
      },
    });
    return { config, host, retrainer: registry && this.#retrainer(config, registry, host) };
  }

  #retrainer(config: ModelConfig, registry: ModelRegistry, host: ModelHost): Retrainer | undefined {
    const { retrain, name } = config;
    if (retrain === undefined || this.telemetry === undefined || this.#path === undefined) return undefined;
    const { clock, random, log } = this.#env;
    return new Retrainer({
      model: { ...config, retrain },
      registry,
      host,
      book: this.#book(name),
      telemetry: { path: this.#path, counters: this.telemetry.counters },
      costs: () => costsOf(this.#of(name)[0]),
      settleMs: () => Math.max(0, ...this.#of(name).map(({ timeoutMs }) => timeoutMs)),
      decides: () => this.#of(name).some(({ choice: { mode } }) => mode === 'active' || mode === 'canary'),
      inTurn: (task) => {
        const mine = this.#turn.then(task);
        this.#turn = mine.catch(() => undefined); // whose turn it was hears of it
        return mine;
      },
      pace: this.#pace,
      clock,
      random,
      log,
    });
  }

  #of(model: string): readonly Tie[] {
    return [...this.#ties.values()].filter(({ choice }) => choice.model === model);
  }

  #book(model: string): CostBook {
    const book = this.#books.get(model) ?? new CostBook();
    this.#books.set(model, book);
    return book;
  }

  /** Without telemetry nothing could be learned from a tally. */
  #observer({ choice, selector, timeoutMs, telemetry }: Tie): Tie['observer'] {
    const { model, name } = choice;
    if (model === undefined || telemetry === undefined) return { model, to: telemetry };
    const { clock } = this.#env;
    const to = new ChoiceTally({
      selector,
      timeoutMs,
      costMs: costMs(choice),
      book: this.#book(model),
      clock,
      drift: this.#pace.drift,
      onDrift: (alarm) => this.#drifted(model, name, selector, alarm),
      next: telemetry,
    });
    return { model, to };
  }

  #drifted(model: string, choice: string, selector: Selector, { target, since, ...alarm }: DriftAlarm): void {
    const { clock } = this.#env;
    this.#students.get(model)?.retrainer?.drifted({
      choice,
      target: selector.targets[target]?.name ?? '',
      since: clock.wall() - (clock.now() - since),
      ...alarm,
    });
  }

  #supply({ choice, selector }: Tie): void {
    const { model, mode, canary } = choice;
    const scorer = model === undefined || mode === 'off' ? undefined : this.#students.get(model)?.host.scorer;
    selector.use(scorer, mode === 'shadow' ? 0 : mode === 'canary' ? canary : 1);
  }
}

async function start({ host, retrainer }: Student): Promise<void> {
  await host.start();
  retrainer?.start();
}

async function close({ host, retrainer }: Student): Promise<void> {
  await retrainer?.close();
  await host.close();
}

/** What a unit of a target's cost counts, in ms: as much as one `slo` of waiting, unless weights say otherwise. */
function costMs({ sloMs, weights }: ChoiceConfig): number {
  return (sloMs * (weights.cost ?? 1)) / Math.max(1e-6, weights.latency ?? 1);
}

function costsOf(tie: Tie | undefined): DecisionCosts {
  if (tie === undefined) return {};
  const { choice, timeoutMs } = tie;
  return { timeoutMs, costMs: costMs(choice), explore: choice.explore };
}
