import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { AdapterContext, AdapterSpec, BrokerHandle } from './adapters/spec.ts';
import type { GatewayConfig } from './config/types.ts';
import { type Clock, type Random, systemClock } from './core/clock.ts';
import { FairleadError } from './core/errors.ts';
import { type Log, silentLog } from './core/log.ts';
import type { Source } from './core/source.ts';
import type { Target } from './core/target.ts';

/** What a gateway runs under; everything has a default but the adapters. */
export interface Environment {
  readonly adapters: readonly AdapterSpec[];
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Unique per process; default `${HOSTNAME}` or a random name. */
  readonly instance: string;
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

/** Makes every broker handle, source and target of a configuration. Connects to nothing. */
export function createComponents(config: GatewayConfig, env: Environment): Components {
  const specs = new Map(env.adapters.map((spec) => [spec.type, spec]));
  const spec = (kind: string): AdapterSpec => {
    const found = specs.get(kind);
    if (found === undefined)
      throw new FairleadError({ code: 'E_ADAPTER_UNKNOWN', message: `no adapter of type "${kind}"` });
    return found;
  };
  const context = (name: string, role: string): AdapterContext => ({
    name,
    gateway: config.name,
    instance: env.instance,
    log: env.log.child({ [role]: name }),
    clock: env.clock,
    random: env.random,
  });
  const brokers = new Map(
    config.brokers.map(({ name, kind, adapter }) => [name, spec(kind).createBroker(adapter, context(name, 'broker'))]),
  );
  const made = <T>(part: T | undefined, kind: string, role: string): T => {
    if (part === undefined)
      throw new FairleadError({ code: 'E_ADAPTER_ROLE', message: `a ${kind} broker cannot be a ${role}` });
    return part;
  };
  // The schemas have checked each adapter's own fields; their shapes are erased in the registry.
  const sources = new Map(
    config.sources.map(({ name, kind, broker, adapter }) => {
      const handle = brokers.get(broker) as BrokerHandle;
      const source = spec(kind).createSource?.(handle, adapter as never, context(name, 'source'));
      return [name, made(source, kind, 'source')];
    }),
  );
  const targets = new Map(
    config.targets.map(({ name, kind, broker, adapter }) => {
      const handle = brokers.get(broker) as BrokerHandle;
      const target = spec(kind).createTarget?.(handle, adapter as never, context(name, 'target'));
      return [name, made(target, kind, 'target')];
    }),
  );
  return { brokers, sources, targets };
}
