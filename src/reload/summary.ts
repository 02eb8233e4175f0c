import type { ConfigDiff } from './diff.ts';

const SECTIONS = ['brokers', 'sources', 'targets', 'choices', 'models', 'routes'] as const;

/** What a reload changed; entries are named as in `targets.eu-readings`. */
export interface ReloadSummary {
  /** Of the configuration that is in force now. */
  readonly revision: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Entries that differ, and the names of other settings, e.g. `unmatched`; `routes` alone: their order. */
  readonly changed: readonly string[];
  /** Sources and targets that were made anew because they or their broker changed. */
  readonly restarted: readonly string[];
  /** How many entries stayed as they were. */
  readonly unchanged: number;
}

export function summarise(diff: ConfigDiff, revision: string): ReloadSummary {
  const named = (part: 'added' | 'removed' | 'changed'): string[] =>
    SECTIONS.flatMap((section) => diff[section][part].map((name) => `${section}.${name}`));
  return {
    revision,
    added: named('added'),
    removed: named('removed'),
    changed: [...named('changed'), ...diff.settings],
    restarted: (['sources', 'targets'] as const).flatMap((section) =>
      [...diff.restarts[section]].map((name) => `${section}.${name}`),
    ),
    unchanged: SECTIONS.reduce((sum, section) => sum + diff[section].unchanged.length, 0),
  };
}

/** Most names of one kind that a log line carries. */
const MAX_NAMES = 20;

/** A summary for a log line, which stays one line however much changed; what is empty is left out. */
export function briefly(summary: ReloadSummary): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(summary).flatMap(([key, value]) => {
      if (!Array.isArray(value)) return [[key, value]];
      if (value.length === 0) return [];
      const more = value.length - MAX_NAMES;
      return [[key, more <= 0 ? value : [...value.slice(0, MAX_NAMES), `… ${more} more`]]];
    }),
  );
}
