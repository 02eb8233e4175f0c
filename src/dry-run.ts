import type { BrokerHandle, DryRunSource } from './adapters/spec.ts';
import { ComponentFactory, type Environment } from './components.ts';
import type { GatewayConfig } from './config/types.ts';
import type { Clock } from './core/clock.ts';
import type { Delivery, DeliveryBatch, Position } from './core/delivery.ts';
import { FairleadError, messageOf } from './core/errors.ts';
import type { CheckItem } from './core/source.ts';
import type { Target } from './core/target.ts';
import { Explainer, type Explanation } from './explaining.ts';

/** What one delivery would become. */
export type DryRunLine =
  | (Explanation & { readonly position: Position; readonly poison?: undefined })
  | {
      readonly source: string;
      readonly position: Position;
      readonly poison: { readonly code: string; readonly message: string };
    };

export interface DryRunOptions {
  /** Events looked at, over all sources. */
  readonly limit: number;
  onLine(line: DryRunLine): void;
  /** The limit is reached. */
  onEnd(): void;
  /** A source can never open. */
  onFatal(error: FairleadError): void;
}

interface Reading extends DryRunSource {
  readonly name: string;
}

/**
 * Reads from every source and explains what it reads. Nothing is sent, since targets are made to be checked and never
 * opened; nothing is taken from a broker; the store is not touched.
 */
export class DryRun {
  readonly #options: DryRunOptions;
  readonly #explainer: Explainer;
  readonly #clock: Clock;
  readonly #readings: Reading[] = [];
  readonly #without: string[] = [];
  readonly #targets = new Map<string, Target>();
  readonly #brokers = new Map<string, BrokerHandle>();
  readonly #abort = new AbortController();
  #left: number;
  /** Lines come in the order of the deliveries, also where a transform takes its time; the limit bounds what waits here. */
  #told: Promise<void> = Promise.resolve();

  constructor(config: GatewayConfig, env: Environment, options: DryRunOptions) {
    this.#options = options;
    this.#left = options.limit;
    this.#explainer = new Explainer(config, env);
    this.#clock = env.clock;
    const factory = new ComponentFactory(config.name, env);
    for (const entry of config.brokers) this.#brokers.set(entry.name, factory.broker(entry));
    const broker = (name: string): BrokerHandle => this.#brokers.get(name) as BrokerHandle;
    for (const entry of config.targets) this.#targets.set(entry.name, factory.target(entry, broker(entry.broker)));
    for (const entry of config.sources) {
      const made = factory.dryRunSource(entry, broker(entry.broker), options.limit);
      if (made === undefined) this.#without.push(`source ${entry.name} is left out: ${entry.kind} has no dry run`);
      else this.#readings.push({ ...made, name: entry.name });
    }
  }

  /** What a dry run does at the brokers all the same, a sentence for each source. */
  get notes(): readonly string[] {
    return [...this.#readings.map(({ name, note }) => `source ${name}: ${note}`), ...this.#without];
  }

  /** Asks every target whether it would work, by name. */
  get targets(): ReadonlyMap<string, { check(): Promise<CheckItem[]> }> {
    return this.#targets;
  }

  start(): void {
    for (const reading of this.#readings) {
      const { source } = reading;
      source.open({ batch: (batch) => this.#take(reading, batch) }, this.#abort.signal).catch((error: unknown) => {
        if (this.#abort.signal.aborted) return;
        const known = error instanceof FairleadError;
        this.#options.onFatal(
          known ? error : new FairleadError({ code: 'E_OPEN', message: messageOf(error), cause: error }),
        );
      });
    }
  }

  /** Gives everything back to the brokers. */
  async close(): Promise<void> {
    this.#abort.abort(new FairleadError({ code: 'E_STOPPED', message: 'the dry run was stopped' }));
    await Promise.allSettled(this.#readings.map(({ source }) => source.close()));
    await Promise.allSettled([...this.#targets.values()].map((target) => target.close()));
    await Promise.allSettled([...this.#brokers.values()].map((broker) => broker.close()));
    await this.#explainer.close();
  }

  #take({ name, settle }: Reading, batch: DeliveryBatch): void {
    for (const [index, delivery] of batch.deliveries.entries()) {
      if (settle !== undefined) batch.settle(index, settle);
      if (this.#left === 0) continue;
      this.#left -= 1;
      this.#told = this.#told.then(() => this.#tell(name, delivery));
    }
    if (this.#left > 0) return;
    for (const { source } of this.#readings) source.pause();
    void this.#told.then(() => this.#options.onEnd());
  }

  async #tell(source: string, { event, poison, meta: { position } }: Delivery): Promise<void> {
    if (this.#abort.signal.aborted) return;
    if (poison === undefined) {
      const explanation = await this.#explainer.explain(event, source, this.#clock.wall());
      this.#options.onLine({ position, ...explanation });
    } else {
      const { code, message } = poison;
      this.#options.onLine({ source, position, poison: { code, message } });
    }
  }
}
