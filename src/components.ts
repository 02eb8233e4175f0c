import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { AdapterContext, AdapterSpec, BrokerHandle, DryRunSource } from './adapters/spec.ts';
import { FileClaimStore } from './claims/file-store.ts';
import { ClaimSource } from './claims/source.ts';
import { ClaimCheckTarget } from './claims/target.ts';
import type { ClaimStoreConfig, GatewayConfig, SourceConfig, TargetConfig } from './config/types.ts';
import type { ClaimStore } from './core/claim-store.ts';
import { type Clock, type Random, systemClock } from './core/clock.ts';
import { FairleadError } from './core/errors.ts';
import { type Log, silentLog } from './core/log.ts';
import type { Source } from './core/source.ts';
import type { Target } from './core/target.ts';
import type { LearningPace } from './learning/pace.ts';

/** What a gateway runs under; everything has a default but the adapters. */
export interface Environment {
  readonly adapters: readonly AdapterSpec[];
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Unique per process; default `${HOSTNAME}` or a random name. */
  readonly instance: string;
  /** How fast models are learned; default as in operation. */
  readonly pace?: LearningPace | undefined;
}

export function environment(part: Pick<Environment, 'adapters'> & Partial<Environment>): Environment {
  return { log: silentLog, clock: systemClock, random: Math.random, instance: hostname() || randomUUID(), ...part };
}

/** The adapters' parts of one configuration: made, not opened. */
export interface Components {
  readonly brokers: ReadonlyMap<string, BrokerHandle>;
  readonly sources: ReadonlyMap<string, Source>;
  readonly targets: ReadonlyMap<string, Target>;
}

type BrokerEntry = GatewayConfig['brokers'][number];

/** Makes the parts of a configuration one by one. Connects to nothing. */
export class ComponentFactory {
  readonly #env: Environment;
  readonly #gateway: string;
  readonly #specs: ReadonlyMap<string, AdapterSpec>;
  readonly #claimStores = new Map<string, ClaimStore>();

  constructor(gateway: string, env: Environment) {
    this.#env = env;
    this.#gateway = gateway;
    this.#specs = new Map(env.adapters.map((spec) => [spec.type, spec]));
  }

  broker({ name, kind, adapter }: BrokerEntry): BrokerHandle {
    return this.spec(kind).createBroker(adapter, this.#context(name, 'broker'));
  }

  // The schemas have checked each adapter's own fields; their shapes are erased in the registry.

  source({ name, kind, adapter, claimCheck }: SourceConfig, broker: BrokerHandle): Source {
    const source = this.spec(kind).createSource?.(broker, adapter as never, this.#context(name, 'source'));
    const opened = made(source, kind, 'source');
    if (claimCheck === undefined) return opened;
    const { log, clock, random } = this.#context(name, 'source');
    const store = this.#claimStore(claimCheck, Number.MAX_SAFE_INTEGER);
    return new ClaimSource(opened, { store, maxBytes: claimCheck.maxDataBytes, clock, random, log });
  }

  /** Undefined where the adapter has no dry run. */
  dryRunSource({ name, kind, adapter }: SourceConfig, broker: BrokerHandle, limit: number): DryRunSource | undefined {
    return this.spec(kind).createDryRunSource?.(broker, adapter as never, limit, this.#context(name, 'source'));
  }

  target({ name, kind, adapter, claimCheck }: TargetConfig, broker: BrokerHandle): Target {
    const target = this.spec(kind).createTarget?.(broker, adapter as never, this.#context(name, 'target'));
    const opened = made(target, kind, 'target');
    if (claimCheck === undefined) return opened;
    return new ClaimCheckTarget(opened, this.#claimStore(claimCheck, claimCheck.maxBytes), claimCheck.over);
  }

  spec(kind: string): AdapterSpec {
    const found = this.#specs.get(kind);
    if (found === undefined)
      throw new FairleadError({ code: 'E_ADAPTER_UNKNOWN', message: `no adapter of type "${kind}"` });
    return found;
  }

  /** Targets that keep their claims in the same place share a store, so that its bound holds for all of them. */
  #claimStore({ path, uri }: ClaimStoreConfig, maxBytes: number): ClaimStore {
    const id = JSON.stringify([path, uri, maxBytes]);
    const known = this.#claimStores.get(id);
    if (known !== undefined) return known;
    const store = new FileClaimStore({ path, uri, maxBytes, clock: this.#env.clock });
    this.#claimStores.set(id, store);
    return store;
  }

  #context(name: string, role: string): AdapterContext {
    const { instance, log, clock, random } = this.#env;
    return { name, gateway: this.#gateway, instance, log: log.child({ [role]: name }), clock, random };
  }
}

/** Makes every broker handle, source and target of a configuration. Connects to nothing. */
export function createComponents(config: GatewayConfig, env: Environment): Components {
  const factory = new ComponentFactory(config.name, env);
  const brokers = new Map(config.brokers.map((entry) => [entry.name, factory.broker(entry)]));
  const handle = (name: string): BrokerHandle => brokers.get(name) as BrokerHandle;
  return {
    brokers,
    sources: new Map(config.sources.map((entry) => [entry.name, factory.source(entry, handle(entry.broker))])),
    targets: new Map(config.targets.map((entry) => [entry.name, factory.target(entry, handle(entry.broker))])),
  };
}

function made<T>(part: T | undefined, kind: string, role: string): T {
  if (part === undefined)
    throw new FairleadError({ code: 'E_ADAPTER_ROLE', message: `a ${kind} broker cannot be a ${role}` });
  return part;
}
