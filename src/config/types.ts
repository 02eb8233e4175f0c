import type { CircuitBreakerSettings } from '../core/policy.ts';
import type { DeadLetterSettings, DeliverySettings, Pattern } from '../core/routing.ts';
import type { CostWeights, SelectorName, SelectorTarget } from '../core/selector.ts';
import type { TransformStep } from '../core/transform.ts';

/**
 * A configuration that holds: validated, defaults in, references checked, durations in milliseconds, sizes in bytes.
 * The entries stand in the order of the file.
 */
export interface GatewayConfig {
  readonly name: string;
  /** 12 hex digits of the SHA-256 of the file's text: which version of the rules decided, for dead letters. */
  readonly revision: string;
  readonly brokers: readonly BrokerConfig[];
  readonly sources: readonly SourceConfig[];
  readonly targets: readonly TargetConfig[];
  readonly choices: readonly ChoiceConfig[];
  readonly models: readonly ModelConfig[];
  readonly routes: readonly RouteConfig[];
  readonly unmatched: UnmatchedConfig;
  /** Run by `fairlead test`; a gateway does nothing with them. */
  readonly tests: readonly RouteTest[];
  readonly schemas: SchemasConfig;
  readonly store: StoreConfig;
  /** Undefined: nothing is recorded. */
  readonly telemetry?: TelemetryConfig;
  /** Undefined: nothing is traced. */
  readonly tracing?: TracingConfig;
  readonly drain: { readonly deadlineMs: number };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
}

/** The adapter's own fields, as its schema gave them. */
export type AdapterConfig = Readonly<Record<string, unknown>>;

interface BrokerConfig {
  readonly name: string;
  /** The adapter's type. */
  readonly kind: string;
  readonly adapter: AdapterConfig;
}

/** A bound by count and by bytes; whichever is reached first. */
export interface Bounds {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

export interface SourceConfig {
  readonly name: string;
  readonly kind: string;
  readonly broker: string;
  readonly order: 'key' | 'none';
  /** Bounds of the deliveries not settled yet; at either one the source is paused. */
  readonly window: Bounds;
  readonly claimCheck?: ClaimStoreConfig & { readonly maxDataBytes: number };
  /** What `createSource` takes: the adapter's fields, `as` and `maxEventBytes`. */
  readonly adapter: AdapterConfig;
}

export interface TargetConfig {
  readonly name: string;
  readonly kind: string;
  readonly broker: string;
  readonly labels: Readonly<Record<string, string | number | boolean>>;
  /** Of one event, in units of the operator's choosing. */
  readonly cost?: number;
  readonly capacity?: SelectorTarget['capacity'];
  /** Declared latency without load. */
  readonly floorMs?: number;
  /** Names of the policies, for display; {@link TargetConfig.delivery} is what they come to. */
  readonly policies: readonly string[];
  readonly delivery: DeliveryPolicy;
  readonly circuitBreaker?: CircuitBreakerSettings;
  /** Overrides of the adapter's own limits of one send. */
  readonly batch: Partial<Bounds>;
  readonly concurrency?: number;
  readonly lane: Bounds;
  /** Data of more than `over` bytes goes by a store of at most `maxBytes`. */
  readonly claimCheck?: ClaimStoreConfig & { readonly over: number; readonly maxBytes: number };
  /** What `createTarget` takes: the adapter's fields, `encoding` and `headers`. */
  readonly adapter: AdapterConfig;
}

/** A named set of targets of which each attempt takes one. */
export interface ChoiceConfig {
  readonly name: string;
  /** in the order of the file. */
  readonly targets: readonly { readonly target: string; readonly weight?: number }[];
  readonly by: SelectorName;
  /** By label: templates over attributes of the event, of which the label's value must equal one. */
  readonly require: Readonly<Record<string, readonly string[]>>;
  readonly sloMs: number;
  /** What is said; the rest is the selector's defaults. */
  readonly weights: CostWeights;
  readonly explore: number;
  /** Name of a model; only, and unless `mode` is `off` always, with `predictive`. */
  readonly model?: string;
  /** Whether the model decides: `off` with every other selector. */
  readonly mode: 'off' | 'shadow' | 'canary' | 'active';
  /** Share of the events that the model decides in `canary`, above 0 and below 1. */
  readonly canary: number;
  /** Whether an event whose send may have arrived may go to another target. */
  readonly onUnknown: 'wait' | 'reselect';
}

/** Where a model comes from: a file, versions in a registry, or a file until the registry has a version in force. */
export interface ModelConfig {
  readonly name: string;
  readonly path?: string;
  /** Of the file at `path`, 64 hex digits. */
  readonly sha256?: string;
  readonly registry?: string;
  readonly retrain?: { readonly everyMs: number; readonly minRows: number };
  /** What a version that is trained here has to pass. */
  readonly gate?: { readonly scenarios: number };
}

/** A directory of claims, and what stands before a file's name in a reference to one. */
export interface ClaimStoreConfig {
  readonly path: string;
  readonly uri?: string | undefined;
}

/** What the policies of a target come to; the route adds its dead-letter settings and overrides. */
export type DeliveryPolicy = Omit<DeliverySettings, 'deadLetter'>;

export interface RouteConfig {
  readonly name: string;
  readonly from: readonly string[];
  /** All of `filters` must pass, and the pattern match; without both everything does. */
  readonly when: { readonly filters: readonly Filter[]; readonly pattern?: Pattern };
  /** Carried out in order on what is sent; none: the event goes as it came. */
  readonly transform: readonly TransformStep[];
  /** Names of targets and choices; one leg each. */
  readonly to: readonly string[];
  /** False: an event that matches looks at no later route. */
  readonly continue: boolean;
  readonly state: 'active' | 'paused' | 'disabled';
  /** Milliseconds since 1970; outside it no event matches. `fromMs` is inside, `toMs` is not. */
  readonly active?: { readonly fromMs?: number; readonly toMs?: number };
  /** The part of the events that matches, by a hash of `source` and `id`; undefined: all. */
  readonly sample?: number;
  readonly delivery: RouteDelivery;
  readonly schema?: RouteSchemaConfig;
}

/** What the data of a route's events is held against. */
export type RouteSchemaConfig =
  /** One schema: the documents read so far, its own first; none where it is fetched. */
  | {
      readonly kind: 'schema';
      readonly location: string;
      readonly documents: readonly { readonly location: string; readonly text: string }[];
    }
  /** The schema that each event's `dataschema` names. */
  | { readonly kind: 'dataschema'; readonly unknown: 'accept' | 'reject' };

/** Where schemas may be fetched from, and the bounds of that. */
export interface SchemasConfig {
  readonly allow: readonly string[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly maxSchemas: number;
}

interface RouteDelivery {
  readonly retry?: number;
  readonly timeoutMs?: number;
  readonly deadLetter: DeadLetterSettings;
}

/**
 * A filter in the dialects of the CloudEvents Subscriptions API. Several dialects in one filter and several attributes in
 * one dialect all hold (AND); an empty filter passes.
 */
export interface Filter {
  readonly exact?: Readonly<Record<string, string>>;
  readonly prefix?: Readonly<Record<string, string>>;
  readonly suffix?: Readonly<Record<string, string>>;
  readonly all?: readonly Filter[];
  readonly any?: readonly Filter[];
  readonly not?: Filter;
  /** An expression of CESQL 1.0. */
  readonly sql?: string;
}

export type UnmatchedConfig = 'dead-letter' | 'drop' | 'fail' | { readonly to: readonly string[] };

/** An event and what the routes must make of it. */
export interface RouteTest {
  readonly name: string;
  readonly source: string;
  /** The event in the JSON format, or else {@link RouteTest.file}, relative to the configuration. */
  readonly event?: Readonly<Record<string, unknown>>;
  readonly file?: string;
  /** Milliseconds since 1970 at which it arrives; undefined: now. */
  readonly nowMs?: number;
  readonly expect: RouteExpectation;
}

/** Whatever is undefined is not looked at. */
export interface RouteExpectation {
  /** Exactly the routes that match. */
  readonly routes: readonly string[] | undefined;
  /** Exactly the legs planned. */
  readonly legs: readonly LegExpectation[] | undefined;
  readonly unmatched: boolean | undefined;
  /** Cause code of a dead letter. */
  readonly error: string | undefined;
}

export interface LegExpectation {
  readonly route: string;
  /** A target or a choice. */
  readonly target: string;
  /** Of a choice: exactly the targets that the event may go to. */
  readonly candidates?: readonly string[] | undefined;
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly without?: readonly string[] | undefined;
  readonly data?: unknown;
  readonly error?: string | undefined;
}

/** Where decisions are recorded, and how much of them. */
export interface TelemetryConfig {
  readonly path: string;
  readonly format: 'ndjson' | 'parquet';
  readonly maxFileBytes: number;
  readonly maxBytes: number;
  /** Share of the successes, above 0 and up to 1. */
  readonly sample: number;
  readonly rotateMs: number;
}

/** Where spans go, and of which events there are any. */
export interface TracingConfig {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the events that bring no trace, 0 to 1. */
  readonly sample: number;
  readonly serviceName?: string | undefined;
  readonly maxSpans: number;
}

export interface StoreConfig {
  readonly path: string;
  readonly maxBytes: number;
  readonly whenFull: 'block' | 'drop-oldest';
}
