import { selectingBy } from './choices.ts';
import type { Environment } from './components.ts';
import type { ChoiceConfig, GatewayConfig, ModelConfig } from './config/types.ts';
import { codeOf, FairleadError, messageOf } from './core/errors.ts';
import type { Explanation, Selector } from './core/selector.ts';
import { GATEWAY_SCHEMA } from './models/contract.ts';
import { loadModelFile } from './models/measuring.ts';
import { ModelRegistry } from './models/registry.ts';
import type { LoadedModel } from './models/slot.ts';
import { type DecisionBasis, featuresOf, likeliest, missingFrom, type NextDecision, weighed } from './next-decision.ts';
import { replayed } from './replaying.ts';
import { type RecentChoice, type RecentRecords, recentRecords } from './telemetry/recent.ts';

/** How far back telemetry is read: as long as the selectors' windows, and as long again. */
const SPAN_MS = 60_000;
const MOST_DECISIONS = 100_000;
/** Decisions are on the disk sooner than this, unless one is waited for. */
const IDLE_MS = 2_000;

interface Model {
  readonly scorer: LoadedModel | undefined;
  readonly version?: number | undefined;
  readonly failure?: string;
}

export interface DecidingOptions {
  /** Where telemetry is; default: where the configuration has it. */
  readonly telemetry?: string | undefined;
  /** An ONNX file that is asked in place of the configured models. */
  readonly model?: string | undefined;
}

/**
 * Tells what the choices of a configuration would do with events, by what a gateway has recorded last: the selector of the
 * gateway goes through it anew. Reads telemetry and models when they are first needed. Close it.
 */
export class Deciding {
  readonly #config: GatewayConfig;
  readonly #env: Pick<Environment, 'clock' | 'random'>;
  readonly #options: DecidingOptions;
  readonly #models = new Map<string, Promise<Model>>();
  readonly #replays = new Map<string, Promise<{ readonly selector: Selector; readonly model: Model }>>();
  #recorded: Promise<RecentRecords | undefined> | undefined;
  /** Why the configured telemetry was not read. */
  #unreadable: string | undefined;

  constructor(config: GatewayConfig, env: Pick<Environment, 'clock' | 'random'>, options: DecidingOptions = {}) {
    this.#config = config;
    this.#env = env;
    this.#options = options;
  }

  /**
   * @param allowed Names of the targets that the event may go to. Rejects with `E_TELEMETRY_READ` where telemetry was named and
   * cannot be read, and with `E_MODEL_…` where a model was named and cannot be loaded.
   */
  async of(choice: ChoiceConfig, bytes: number, allowed: readonly string[]): Promise<NextDecision> {
    const records = await this.#records();
    const recent = records?.choices.get(choice.name);
    const known = recent === undefined || recent.decisions.length === 0 ? undefined : recent;
    const { selector, model } = await this.#replay(choice, known, records);
    const out = known === undefined ? [] : missingFrom(known, allowed);
    const indexes = selector.targets.flatMap(({ name }, index) => (allowed.includes(name) ? [index] : []));
    for (const index of indexes) selector.available(index, !out.includes(selector.targets[index]?.name ?? ''));
    const explanation = selector.explain({ bytes }, indexes);
    const basis = known && records && this.#basis(known, records);
    return {
      ...head(explanation, choice, model),
      ...(basis === undefined ? {} : { basis }),
      notes: this.#notes(basis, choice),
      targets: explanation.candidates.map((one) => weighed(one, selector, bytes, featuresOf(selector, known, records))),
    };
  }

  async close(): Promise<void> {
    const models = await Promise.allSettled(this.#models.values());
    await Promise.all(models.map((one) => (one.status === 'fulfilled' ? one.value.scorer?.close() : undefined)));
  }

  #records(): Promise<RecentRecords | undefined> {
    this.#recorded ??= this.#read();
    return this.#recorded;
  }

  async #read(): Promise<RecentRecords | undefined> {
    const { telemetry: named } = this.#options;
    const path = named ?? this.#config.telemetry?.path;
    if (path === undefined) return undefined;
    try {
      return await recordsIn(path);
    } catch (error) {
      // Whoever asks where an event goes is told all the rest without it.
      if (named !== undefined || codeOf(error) !== 'E_TELEMETRY_READ') throw error;
      this.#unreadable = messageOf(error);
      return undefined;
    }
  }

  #replay(
    choice: ChoiceConfig,
    recorded: RecentChoice = { decisions: [], snapshots: [] },
    records: RecentRecords | undefined,
  ): Promise<{ readonly selector: Selector; readonly model: Model }> {
    const begun = this.#replays.get(choice.name);
    if (begun !== undefined) return begun;
    const replay = async (): Promise<{ readonly selector: Selector; readonly model: Model }> => {
      const model = await this.#model(choice);
      const selector = await replayed({
        config: selectingBy(choice, this.#config),
        scorer: model.scorer,
        share: shareOf(choice),
        random: this.#env.random,
        recorded,
        until: this.#asOf(recorded),
        schema: records?.header.schema ?? GATEWAY_SCHEMA,
      });
      return { selector, model };
    };
    const going = replay();
    this.#replays.set(choice.name, going);
    return going;
  }

  #model({ by, mode, model }: ChoiceConfig): Promise<Model> {
    if (by !== 'predictive' || mode === 'off') return Promise.resolve({ scorer: undefined });
    const config = this.#config.models.find(({ name }) => name === model);
    const key = this.#options.model ?? config?.name ?? '';
    const begun = this.#models.get(key);
    if (begun !== undefined) return begun;
    const { model: file } = this.#options;
    const loading = file === undefined ? inForce(config) : loadModelFile(file).then((scorer) => ({ scorer }));
    this.#models.set(key, loading);
    return loading;
  }

  /** Undefined: the last decision. */
  #asOf({ decisions }: RecentChoice): number | undefined {
    const now = this.#env.clock.wall();
    return now - (decisions.at(-1)?.ts ?? now) > IDLE_MS ? now : undefined;
  }

  #basis(recent: RecentChoice, { header }: RecentRecords): DecisionBasis {
    const { decisions } = recent;
    const at = decisions.at(-1)?.ts ?? 0;
    return {
      gateway: header.gateway,
      instance: header.instance,
      at,
      ageMs: Math.max(0, this.#env.clock.wall() - at),
      idle: this.#asOf(recent) !== undefined,
      decisions: decisions.length,
      spanMs: at - (decisions[0]?.ts ?? at),
      weight: Math.max(...decisions.map(({ weight }) => weight)),
    };
  }

  #notes(basis: DecisionBasis | undefined, { name }: ChoiceConfig): readonly string[] {
    if (basis !== undefined) {
      if (basis.weight <= 1) return [];
      const each = Number(basis.weight.toPrecision(3));
      return [
        `approximate: a recorded success stands for ${each}, so loads and rates are about right (telemetry.sample)`,
      ];
    }
    const { telemetry } = this.#config;
    const unset = telemetry === undefined && this.#options.telemetry === undefined;
    const none = unset ? 'telemetry is not configured' : `no decisions of ${name} are recorded`;
    const why = this.#unreadable ?? none;
    return [`${why}: this is what a gateway does that has just started`];
  }
}

/** Nothing was recorded where there is no directory yet. */
async function recordsIn(path: string): Promise<RecentRecords | undefined> {
  try {
    return await recentRecords(path, { spanMs: SPAN_MS, most: MOST_DECISIONS });
  } catch (error) {
    const cause = error instanceof FairleadError ? (error.cause as { code?: unknown } | undefined) : undefined;
    if (cause?.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** As the gateway loads it: what is in force in the registry, or else the file. Never rejects, a gateway goes on without. */
async function inForce(config: ModelConfig | undefined): Promise<Model> {
  if (config === undefined) return { scorer: undefined };
  const { name, registry, path, sha256 } = config;
  try {
    const active = registry === undefined ? undefined : await new ModelRegistry(registry).active(name);
    if (active !== undefined) {
      return { scorer: await loadModelFile(active.path, active.sha256), version: active.version };
    }
    if (path !== undefined) return { scorer: await loadModelFile(path, sha256) };
    return { scorer: undefined, failure: `no version of ${name} is in force` };
  } catch (error) {
    if (!(error instanceof FairleadError)) throw error;
    return { scorer: undefined, failure: `${error.code}: ${error.message}` };
  }
}

function shareOf({ mode, canary }: ChoiceConfig): number {
  return mode === 'shadow' ? 0 : mode === 'canary' ? canary : 1;
}

function head(
  { by, policy, model: sha, fallback, candidates }: Explanation,
  choice: ChoiceConfig,
  { version, failure }: Model,
): Pick<NextDecision, 'chosen' | 'by' | 'policy' | 'model' | 'version' | 'share' | 'fallback'> {
  const chosen = likeliest(candidates);
  const why = failure ?? fallback;
  const share = shareOf(choice);
  return {
    ...(chosen === undefined ? {} : { chosen }),
    by,
    policy,
    ...(sha === undefined ? {} : { model: sha }),
    ...(version === undefined ? {} : { version }),
    ...(sha === undefined || share === 1 ? {} : { share }),
    ...(why === undefined ? {} : { fallback: why }),
  };
}
