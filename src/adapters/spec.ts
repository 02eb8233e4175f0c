import type { z } from 'zod';
import type { Clock, Random } from '../core/clock.ts';
import type { Outcome } from '../core/delivery.ts';
import type { Log } from '../core/log.ts';
import type { Source, SourceFeatures } from '../core/source.ts';
import type { Target, TargetFeatures } from '../core/target.ts';

/** What every component of an adapter is given besides its configuration. */
export interface AdapterContext {
  /** The name in the configuration, e.g. `readings`: for logs, metrics and client ids. */
  readonly name: string;
  /** The gateway's name (`name:` in the configuration): default consumer group and client id prefix, shared by replicas. */
  readonly gateway: string;
  /** Unique per process (`${HOSTNAME}` or a random suffix): for ids that a twin must not share. */
  readonly instance: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

/** How a source wraps what is not a CloudEvent; templates over the adapter's position variables. Data is untouched. */
export interface WrapConfig {
  readonly type: string;
  readonly source: string;
  readonly subject?: string | undefined;
  readonly id?: string | undefined;
  readonly time?: string | undefined;
  readonly datacontenttype?: string | undefined;
}

/** Fields of a source that the pipeline and every adapter share; the adapter's own fields stand beside them. */
export interface CommonSourceConfig {
  readonly as?: WrapConfig | undefined;
  /** Largest event taken, in bytes as received; larger is poison. */
  readonly maxEventBytes: number;
}

/** Fields of a target that the pipeline and every adapter share. */
export interface CommonTargetConfig {
  /** Content mode; each adapter documents its default. */
  readonly encoding?: 'binary' | 'structured' | 'raw' | undefined;
  /** What becomes of native headers of the source that are not attributes. */
  readonly headers: 'pass' | 'drop';
}

/** A source that reads what the configured one would read next and takes none of it: `fairlead run --dry-run`. */
export interface DryRunSource {
  readonly source: Source;
  /**
   * How every delivery is settled at once, where what is read is a copy, or where someone waits for an answer. Undefined: not
   * at all, and `close` leaves it to the broker.
   */
  readonly settle: Outcome | undefined;
  /** What a dry run does at the broker all the same, for the person who starts one; begins with the name of the thing. */
  readonly note: string;
}

/** A connection (or listener) shared by the sources and targets of one broker entry. */
export interface BrokerHandle {
  close(): Promise<void>;
}

/**
 * Everything the rest of Fairlead knows about an adapter. The schemas are strict zod objects with a `describe` on
 * every field: types, JSON Schema, reference docs and lint are made from them. They hold only the adapter's own fields.
 */
export interface AdapterSpec<B = unknown, S = unknown, T = unknown, H extends BrokerHandle = BrokerHandle> {
  /** The value of `type:` on a broker, and the folder's name. */
  readonly type: string;
  readonly summary: string;
  readonly broker: z.ZodObject;
  readonly source?: {
    readonly schema: z.ZodObject;
    readonly features: SourceFeatures;
    readonly variables: readonly string[];
  };
  readonly target?: { readonly schema: z.ZodObject; readonly features: TargetFeatures };
  /** Makes the shared handle; must not connect yet. */
  createBroker(config: B, context: AdapterContext): H;
  createSource?(broker: H, config: S & CommonSourceConfig, context: AdapterContext): Source;
  /** Without it sources of this adapter have no dry run. `limit` is how many events will be looked at at most. */
  createDryRunSource?(broker: H, config: S & CommonSourceConfig, limit: number, context: AdapterContext): DryRunSource;
  createTarget?(broker: H, config: T & CommonTargetConfig, context: AdapterContext): Target;
  /** Configuration mistakes and risks that a schema cannot say; paths are relative to the entry. */
  lint?(entry: LintEntry): readonly LintFinding[];
}

export interface LintEntry {
  readonly kind: 'broker' | 'source' | 'target';
  readonly config: Readonly<Record<string, unknown>>;
  readonly broker: Readonly<Record<string, unknown>>;
}

export interface LintFinding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Erases the type parameters for the registry; the schemas guarantee that each adapter is given its own shapes. */
export function defineAdapter<B, S, T, H extends BrokerHandle>(spec: AdapterSpec<B, S, T, H>): AdapterSpec {
  return spec as unknown as AdapterSpec;
}
