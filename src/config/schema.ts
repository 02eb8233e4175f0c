import { z } from 'zod';
import { byteSize, duration } from '../adapters/fields.ts';
import type { AdapterSpec } from '../adapters/spec.ts';
import { type ChoiceFields, choicesSection } from './choice.ts';
import { sourceFields, targetFields } from './common.ts';
import { type ModelFields, modelsSection } from './model.ts';
import { entryName } from './names.ts';
import { type PolicyFields, policySchema } from './policy.ts';
import { routeSchema, unmatchedSchema } from './route.ts';
import { schemasSection } from './route-schemas.ts';
import { type TestFields, testSchema } from './route-test.ts';
import { type TelemetryFields, telemetrySection } from './telemetry.ts';
import { tracingSection } from './tracing.ts';
import type { StoreConfig, TracingConfig, UnmatchedConfig } from './types.ts';

/** The schemas of one kind of entry by adapter type. */
type EntrySchemas = ReadonlyMap<string, z.ZodObject>;

/** Everything that is known about the shape of a configuration, for one list of adapters. */
export interface ConfigSchemas {
  readonly brokers: EntrySchemas;
  readonly sources: EntrySchemas;
  readonly targets: EntrySchemas;
  /** The whole file; an entry may have the shape of any adapter. */
  readonly whole: z.ZodObject;
  /** The whole file, entries left alone: which shape they have depends on the broker they name. */
  readonly outline: z.ZodObject;
}

/** What the outline gives; entries are still as they stood in the file. */
export interface Outline {
  readonly name: string;
  readonly brokers: Readonly<Record<string, unknown>>;
  readonly sources: Readonly<Record<string, unknown>>;
  readonly targets: Readonly<Record<string, unknown>>;
  readonly policies: Readonly<Record<string, PolicyFields>>;
  readonly choices: Readonly<Record<string, ChoiceFields>>;
  readonly models: Readonly<Record<string, ModelFields>>;
  readonly routes: readonly z.infer<typeof routeSchema>[];
  readonly unmatched: UnmatchedConfig;
  readonly schemas: z.infer<typeof schemasSection>;
  readonly tests: readonly TestFields[];
  readonly store: StoreConfig;
  readonly telemetry?: TelemetryFields | undefined;
  readonly tracing?: TracingConfig | undefined;
  readonly drain: { readonly deadline: number };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
}

/** Builds the one schema from which validation, JSON Schema, reference docs, echo and lint come. */
export function configSchemas(adapters: readonly AdapterSpec[]): ConfigSchemas {
  const brokers = new Map<string, z.ZodObject>();
  const sources = new Map<string, z.ZodObject>();
  const targets = new Map<string, z.ZodObject>();
  for (const adapter of adapters) {
    const type = z.literal(adapter.type).describe(adapter.summary);
    brokers.set(adapter.type, merge(`${adapter.type} broker`, adapter.broker, { type }));
    if (adapter.source)
      sources.set(adapter.type, merge(`${adapter.type} source`, adapter.source.schema, sourceFields.shape));
    if (adapter.target)
      targets.set(adapter.type, merge(`${adapter.type} target`, adapter.target.schema, targetFields.shape));
  }
  const whole = file(anyOf(brokers), anyOf(sources), anyOf(targets));
  const left = z.unknown();
  return { brokers, sources, targets, whole, outline: file(left, left, left) };
}

function merge(what: string, own: z.ZodObject, common: z.core.$ZodShape): z.ZodObject {
  const taken = Object.keys(common).filter((key) => Object.hasOwn(own.shape, key));
  if (taken.length > 0) throw new Error(`the schema of the ${what} redefines ${taken.join(', ')}`);
  return own.safeExtend(common).meta({ title: what }) as z.ZodObject;
}

function anyOf(schemas: EntrySchemas): z.ZodType {
  const [first, ...rest] = schemas.values();
  return first === undefined ? z.never() : z.union([first, ...rest]);
}

function file(broker: z.ZodType, source: z.ZodType, target: z.ZodType): z.ZodObject {
  const entries = (what: string, entry: z.ZodType): z.ZodType =>
    z.record(entryName(), entry, {
      error: `expected ${what} by name, e.g. ${what}: { my-${what.slice(0, -1)}: { … } }`,
    });
  return z.strictObject({
    version: z.literal(1, { error: 'expected version: 1' }).describe('Version of this format.'),
    name: entryName()
      .default('fairlead')
      .describe('Name of the gateway: prefix of client ids and default consumer group, shared by its replicas.'),
    brokers: entries('brokers', broker).describe('Connections by name.'),
    sources: entries('sources', source).describe('Subscriptions by name.'),
    targets: entries('targets', target).describe('Destinations by name.'),
    choices: choicesSection.describe('Sets of targets of which one is chosen for each attempt, by name. See below.'),
    models: modelsSection.describe('Models that `predictive` may use, by name. See below.'),
    policies: z
      .record(entryName(), policySchema)
      .default({})
      .describe('Rules about sending, by name; targets bind them. See below.'),
    routes: z
      .array(routeSchema, { error: 'expected a list of routes, each beginning with "- name:"' })
      .describe('Which events go where. Every route that matches fires, in this order. See below.'),
    unmatched: unmatchedSchema,
    schemas: schemasSection.describe('Where schemas come from, for `schema` of the routes.'),
    tests: z
      .array(testSchema, { error: 'expected a list of tests, each beginning with "- name:"' })
      .default([])
      .describe('Events and what the routes must make of them, for `fairlead test`. See below.'),
    store: z
      .strictObject({
        path: z.string().min(1).default('./.fairlead').describe('Directory of dead letters and other durable state.'),
        maxBytes: byteSize({ min: 2 ** 20 })
          .prefault('1GiB')
          .describe('Most bytes on disk.'),
        whenFull: z
          .enum(['block', 'drop-oldest'])
          .default('block')
          .describe(
            '`block` stops settling until there is room; `drop-oldest` gives up the oldest dead letters, counted.',
          ),
      })
      .prefault({})
      .describe('The local store.'),
    telemetry: telemetrySection.describe(
      'Records of what choices decided and what came of it. Without it nothing is recorded.',
    ),
    tracing: tracingSection.describe('Spans of a part of the events, for OpenTelemetry. Without it nothing is traced.'),
    drain: z
      .strictObject({
        deadline: duration()
          .prefault('25s')
          .describe('How long deliveries under way may take to finish after SIGTERM.'),
      })
      .prefault({})
      .describe('Stopping.'),
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error', 'silent'])
          .default('info')
          .describe('Least severity that is logged.'),
      })
      .prefault({})
      .describe('Logging.'),
  });
}
