import type { AdapterSpec } from '../adapters/spec.ts';
import { activeWindow } from './active.ts';
import { choiceConfig } from './choice.ts';
import { mergeBreakers } from './circuit-breaker.ts';
import { type SourceFields, sourceFields, type TargetFields, targetFields } from './common.ts';
import type { Entries, Entry } from './entries.ts';
import { modelConfig } from './model.ts';
import { mergePolicies, type PolicyFields } from './policy.ts';
import { schemasConfig } from './route-schemas.ts';
import { routeTest } from './route-test.ts';
import type { Outline } from './schema.ts';
import { telemetryConfig } from './telemetry.ts';
import { transformSteps } from './transform.ts';
import type {
  AdapterConfig,
  GatewayConfig,
  RouteConfig,
  RouteSchemaConfig,
  SourceConfig,
  TargetConfig,
} from './types.ts';

/** The parsed parts as the rest of the program reads them. */
export function normalise(
  outline: Outline,
  entries: Entries,
  revision: string,
  schemas: readonly (RouteSchemaConfig | undefined)[],
): GatewayConfig {
  const models = Object.entries(outline.models).map(([name, fields]) => modelConfig(name, fields));
  const only = models.length === 1 ? models[0]?.name : undefined;
  return {
    name: outline.name,
    revision,
    brokers: [...entries.brokers.values()].map(({ name, adapter, fields: { type: _, ...own } }) => ({
      name,
      kind: adapter.type,
      adapter: own,
    })),
    sources: [...entries.sources.values()].map(source),
    targets: [...entries.targets.values()].map((entry) => target(entry, outline.policies)),
    choices: Object.entries(outline.choices).map(([name, fields]) => choiceConfig(name, fields, only)),
    models,
    routes: outline.routes.map((fields, index) => route(fields, schemas[index])),
    schemas: schemasConfig(outline.schemas),
    unmatched: outline.unmatched,
    tests: outline.tests.map(routeTest),
    store: outline.store,
    ...(outline.telemetry === undefined ? {} : { telemetry: telemetryConfig(outline.telemetry) }),
    ...(outline.tracing === undefined ? {} : { tracing: outline.tracing }),
    drain: { deadlineMs: outline.drain.deadline },
    log: outline.log,
  };
}

function source({ name, adapter, fields }: Entry<AdapterConfig & SourceFields>): SourceConfig {
  const { broker, order, window, as, maxEventBytes, claimCheck } = fields;
  return {
    name,
    kind: adapter.type,
    broker,
    order,
    window,
    ...(claimCheck === undefined ? {} : { claimCheck }),
    adapter: { ...own(fields, sourceFields.shape), ...(as === undefined ? {} : { as }), maxEventBytes },
  };
}

function target(
  { name, adapter, fields }: Entry<AdapterConfig & TargetFields>,
  policies: Outline['policies'],
): TargetConfig {
  const { broker, labels, policies: bound, batch, concurrency, lane, encoding, headers, claimCheck } = fields;
  const applied = bound.map((policy) => policies[policy] as PolicyFields);
  const { capacity, floor: floorMs } = fields;
  const cost = fields.cost ?? (typeof labels['cost'] === 'number' ? labels['cost'] : undefined);
  return {
    name,
    kind: adapter.type,
    broker,
    labels,
    ...defined({ cost, capacity, floorMs }),
    policies: bound,
    delivery: mergePolicies(applied),
    ...defined({ circuitBreaker: mergeBreakers(applied) }),
    batch: defined({ maxEvents: batch?.maxEvents, maxBytes: batch?.maxBytes }),
    ...(concurrency === undefined ? {} : { concurrency }),
    lane,
    ...(claimCheck === undefined ? {} : { claimCheck }),
    adapter: { ...own(fields, targetFields.shape), ...(encoding === undefined ? {} : { encoding }), headers },
  };
}

function route(
  { delivery, when, active, sample, schema: _, transform, ...fields }: Outline['routes'][number],
  schema: RouteSchemaConfig | undefined,
): RouteConfig {
  return {
    ...fields,
    ...defined({ active: active === undefined ? undefined : activeWindow(active), sample, schema }),
    transform: transformSteps(transform),
    when: { filters: when?.filters ?? [], ...(when?.pattern === undefined ? {} : { pattern: when.pattern }) },
    delivery: {
      ...defined({ retry: delivery?.retry, timeoutMs: delivery?.timeout }),
      deadLetter: delivery?.deadLetter ?? { store: true },
    },
  };
}

/** The adapter's own fields of an entry. */
function own(fields: AdapterConfig, common: AdapterSpec['broker']['shape']): AdapterConfig {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !Object.hasOwn(common, key)));
}

function defined<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
