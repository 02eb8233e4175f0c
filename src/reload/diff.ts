import type { GatewayConfig, SourceConfig, TargetConfig } from '../config/types.ts';
import { same } from './same.ts';

/** The entries of one section by name, in the order of the new configuration; removed ones in that of the old. */
export interface EntryDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
}

/** What one configuration has that another has not. */
export interface ConfigDiff {
  /** Fields that only a restart of the process can change, e.g. `store.path`. Not empty: the configuration is refused. */
  readonly refused: readonly string[];
  readonly brokers: EntryDiff;
  readonly sources: EntryDiff;
  readonly targets: EntryDiff;
  readonly choices: EntryDiff;
  readonly models: EntryDiff;
  readonly routes: EntryDiff;
  /** Whatever else differs: `unmatched`, `drain`, `log`, `routes` for their order. */
  readonly settings: readonly string[];
  /** Names of what is there before and after and must be made anew. */
  readonly restarts: Readonly<Record<'brokers' | 'sources' | 'targets', ReadonlySet<string>>>;
}

/** What becomes of each field when it changes; a new field does not compile without an answer. */
const FIELDS: Readonly<Record<keyof GatewayConfig, 'entries' | 'live' | 'refused' | 'ignored'>> = {
  name: 'refused', // client ids and consumer groups are made of it
  revision: 'ignored',
  brokers: 'entries',
  sources: 'entries',
  targets: 'entries',
  choices: 'entries',
  models: 'entries',
  routes: 'entries',
  unmatched: 'live',
  store: 'refused',
  telemetry: 'refused', // its files are open, and records of one run go on in them
  tracing: 'refused', // spans of events under way go where they began
  drain: 'live',
  log: 'live',
  schemas: 'live',
  tests: 'ignored', // nothing that runs looks at them
};

/** Which fields of a target a new plan is enough for. */
const TARGET_FIELDS: Readonly<Record<keyof TargetConfig, 'plan' | 'restart'>> = {
  name: 'plan',
  kind: 'restart',
  broker: 'restart',
  labels: 'plan',
  cost: 'plan',
  capacity: 'plan',
  floorMs: 'plan',
  policies: 'plan',
  delivery: 'plan',
  circuitBreaker: 'restart',
  batch: 'restart',
  concurrency: 'restart',
  claimCheck: 'restart',
  lane: 'restart',
  adapter: 'restart',
};

type Named = { readonly name: string };

export function diffConfigs(before: GatewayConfig, after: GatewayConfig): ConfigDiff {
  const brokers = diffEntries(before.brokers, after.brokers);
  const sources = diffEntries(before.sources, after.sources);
  const targets = diffEntries(before.targets, after.targets);
  const routes = diffEntries(before.routes, after.routes);
  const made = new Set(brokers.changed);
  const onNew = ({ broker }: SourceConfig | TargetConfig): boolean => made.has(broker);
  const old = new Map(before.targets.map((target) => [target.name, target]));
  return {
    refused: differing(before, after, 'refused').flatMap((field) => fieldNames(field, before[field], after[field])),
    brokers,
    sources,
    targets,
    choices: diffEntries(before.choices, after.choices),
    models: diffEntries(before.models, after.models),
    routes,
    settings: [...differing(before, after, 'live'), ...(sameOrder(before.routes, after.routes) ? [] : ['routes'])],
    restarts: {
      brokers: made,
      sources: kept(after.sources, sources, (source) => sources.changed.includes(source.name) || onNew(source)),
      targets: kept(after.targets, targets, (target) => onNew(target) || mustRestart(old.get(target.name), target)),
    },
  };
}

function differing(
  before: GatewayConfig,
  after: GatewayConfig,
  kind: 'live' | 'refused',
): readonly (keyof GatewayConfig)[] {
  const fields = Object.keys(FIELDS) as (keyof GatewayConfig)[];
  return fields.filter((field) => FIELDS[field] === kind && !same(before[field], after[field]));
}

/** `store.path` rather than `store`. */
function fieldNames(field: string, before: unknown, after: unknown): readonly string[] {
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return [field];
  const was = before as Record<string, unknown>;
  const is = after as Record<string, unknown>;
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return keys.filter((key) => !same(was[key], is[key])).map((key) => `${field}.${key}`);
}

function diffEntries<T extends Named>(before: readonly T[], after: readonly T[]): EntryDiff {
  const old = new Map(before.map((entry) => [entry.name, entry]));
  const diff = { added: [] as string[], removed: [] as string[], changed: [] as string[], unchanged: [] as string[] };
  for (const entry of after) {
    const was = old.get(entry.name);
    old.delete(entry.name);
    if (was === undefined) diff.added.push(entry.name);
    else (same(was, entry) ? diff.unchanged : diff.changed).push(entry.name);
  }
  diff.removed.push(...old.keys());
  return diff;
}

function mustRestart(before: TargetConfig | undefined, after: TargetConfig): boolean {
  if (before === undefined) return false;
  const fields = Object.keys(TARGET_FIELDS) as (keyof TargetConfig)[];
  return fields.some((field) => TARGET_FIELDS[field] === 'restart' && !same(before[field], after[field]));
}

/** Names of entries that are in both configurations and fulfil `test`. */
function kept<T extends Named>(entries: readonly T[], diff: EntryDiff, test: (entry: T) => boolean): Set<string> {
  const added = new Set(diff.added);
  return new Set(entries.filter((entry) => !added.has(entry.name) && test(entry)).map(({ name }) => name));
}

/** Whether what is in both lists stands in the same order in both. */
function sameOrder(before: readonly Named[], after: readonly Named[]): boolean {
  const now = new Set(after.map(({ name }) => name));
  const then = before.filter(({ name }) => now.has(name));
  const had = new Set(then.map(({ name }) => name));
  const still = after.filter(({ name }) => had.has(name));
  return still.every(({ name }, index) => name === then[index]?.name);
}
