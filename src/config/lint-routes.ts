import type { ConfigDocument } from './document.ts';
import type { Entries } from './entries.ts';
import type { Located } from './finding.ts';
import type { Filter, GatewayConfig, RouteConfig } from './types.ts';

/** Risks in a configuration that is otherwise valid: what would get lost from sight, and what nothing uses. */
export function lintRoutes(
  config: GatewayConfig,
  document: ConfigDocument,
  sources: Entries['sources'],
  nowMs: number,
): readonly Located[] {
  return [
    ...lintUnmatched(config, document, sources),
    ...lintEachRoute(config, document, nowMs),
    ...lintSchemas(config),
    ...lintUnused(config),
  ];
}

function lintUnmatched(
  config: GatewayConfig,
  document: ConfigDocument,
  sources: Entries['sources'],
): readonly Located[] {
  if (config.unmatched === 'fail') return lintFail(config, sources);
  if (config.unmatched === 'drop') {
    const message = 'events that no route matches are dropped (and counted)';
    return [warning('W_UNMATCHED_DROP', ['unmatched'], 'value', message, 'dead-letter keeps them')];
  }
  if (document.has(['unmatched']) || config.sources.every(({ name }) => catchesAll(config, name))) return [];
  const message = 'no rule says what becomes of events that no route matches: they go to the dead-letter store';
  return [
    warning('W_UNMATCHED_UNSET', [], 'value', message, 'write unmatched: dead-letter, drop, fail or { to: [target] }'),
  ];
}

/** Events may name schemas, but from nowhere: all of them are unknown. */
function lintSchemas({ routes, schemas }: GatewayConfig): readonly Located[] {
  const names = routes.filter(({ schema }) => schema?.kind === 'dataschema').map(({ name }) => name);
  if (names.length === 0 || schemas.allow.length > 0) return [];
  const message = `events of ${names.length === 1 ? `route ${names[0]}` : `${names.length} routes`} are held against their dataschema, but schemas.allow is empty: every schema is unknown`;
  return [warning('W_SCHEMA_NONE_ALLOWED', ['schemas'], 'key', message, 'write schemas: { allow: ["https://…/"] }')];
}

/** A broker that neither takes back nor sets aside what was refused can only be told that it was consumed. */
function lintFail(config: GatewayConfig, sources: Entries['sources']): readonly Located[] {
  const acknowledged = config.sources.filter(({ name }) => {
    const features = sources.get(name)?.adapter.source?.features;
    const settlesOnly = features?.redelivers === true && !features.returns && !features.rejects;
    return settlesOnly && !catchesAll(config, name);
  });
  if (acknowledged.length === 0) return [];
  const kinds = [...new Set(acknowledged.map(({ kind }) => kind))].join(' and ');
  const names = acknowledged.map(({ name }) => name).join(', ');
  const message = `${kinds} cannot refuse an event: those from ${names} that no route matches are counted as rejected, acknowledged and gone`;
  return [warning('W_UNMATCHED_FAIL', ['unmatched'], 'value', message, 'dead-letter keeps them')];
}

function lintEachRoute(
  { routes, choices }: GatewayConfig,
  document: ConfigDocument,
  nowMs: number,
): readonly Located[] {
  const found: Located[] = [];
  for (const [index, route] of routes.entries()) {
    const { name, from, to, delivery, active } = route;
    const path = ['routes', index];
    if (!document.has([...path, 'delivery', 'deadLetter'])) {
      const message = `route ${name} has no deadLetter: events that fail go to the local store`;
      found.push(
        warning(
          'W_NO_DEAD_LETTER',
          [...path, 'name'],
          'key',
          message,
          'write delivery: { deadLetter: { store: true } }',
        ),
      );
    }
    if (active?.toMs !== undefined && active.toMs <= nowMs) {
      const message = `the window of route ${name} is over: it matches nothing any more`;
      found.push(warning('W_ROUTE_OVER', [...path, 'active', 'to'], 'value', message));
    }
    const letters = delivery.deadLetter.target;
    if (letters !== undefined && (to.includes(letters) || chosen(to, choices).includes(letters))) {
      const message = `route ${name} dead-letters to ${letters}, the target that would have failed`;
      found.push(warning('W_DEAD_LETTER_LOOP', [...path, 'delivery', 'deadLetter', 'target'], 'value', message));
    }
    const before = routes.slice(0, index).filter((other) => stops(other) && !isConditional(other));
    if (from.every((source) => before.some((other) => other.from.includes(source)))) {
      const names = [...new Set(before.map((other) => other.name))].join(', ');
      const message = `route ${name} is never reached: ${names} before it takes everything and has continue: false`;
      found.push(warning('W_ROUTE_UNREACHABLE', [...path, 'name'], 'key', message));
    }
  }
  return found;
}

/** The candidates of the choices among the entries of a `to`. */
function chosen(to: readonly string[], choices: GatewayConfig['choices']): readonly string[] {
  return choices.flatMap(({ name, targets }) => (to.includes(name) ? targets.map(({ target }) => target) : []));
}

function lintUnused(config: GatewayConfig): readonly Located[] {
  const { brokers, sources, targets, choices, routes, unmatched } = config;
  const read = new Set(routes.flatMap(({ from }) => from));
  const sent = new Set(routes.flatMap(({ to, delivery }) => [...to, delivery.deadLetter.target]));
  if (typeof unmatched === 'object') for (const name of unmatched.to) sent.add(name);
  for (const { targets: candidates } of choices) for (const { target } of candidates) sent.add(target);
  const connected = new Set([...sources, ...targets].map(({ broker }) => broker));
  return [
    ...sources
      .filter(({ name }) => !read.has(name))
      .map(({ name }) =>
        warning(
          'W_UNUSED_SOURCE',
          ['sources', name],
          'key',
          `no route reads the source ${name}: all its events are unmatched`,
        ),
      ),
    ...targets
      .filter(({ name }) => !sent.has(name))
      .map(({ name }) => warning('W_UNUSED_TARGET', ['targets', name], 'key', `nothing is sent to the target ${name}`)),
    ...brokers
      .filter(({ name }) => !connected.has(name))
      .map(({ name }) =>
        warning('W_UNUSED_BROKER', ['brokers', name], 'key', `no source or target uses the broker ${name}`),
      ),
  ];
}

/** Policies are told of here by their names in the file, since the configuration has them merged into the targets. */
export function lintPolicies(config: GatewayConfig, policies: readonly string[]): readonly Located[] {
  const used = new Set(config.targets.flatMap((target) => target.policies));
  return policies
    .filter((name) => !used.has(name))
    .map((name) => warning('W_UNUSED_POLICY', ['policies', name], 'key', `no target binds the policy ${name}`));
}

function catchesAll({ routes }: GatewayConfig, source: string): boolean {
  return routes.some((route) => route.from.includes(source) && !isConditional(route) && route.state !== 'disabled');
}

function stops(route: RouteConfig): boolean {
  return !route.continue && route.state !== 'disabled';
}

function isConditional({ active, sample = 1, when }: RouteConfig): boolean {
  return active !== undefined || sample < 1 || when.pattern !== undefined || !when.filters.every(passesAll);
}

function passesAll(filter: Filter): boolean {
  const { exact, prefix, suffix, all, any, not, sql } = filter;
  const empty = [exact, prefix, suffix].every(
    (attributes) => attributes === undefined || Object.keys(attributes).length === 0,
  );
  return (
    empty &&
    not === undefined &&
    sql === undefined &&
    (all ?? []).every(passesAll) &&
    (any === undefined || any.some(passesAll))
  );
}

function warning(
  code: string,
  path: readonly PropertyKey[],
  at: 'key' | 'value',
  message: string,
  hint?: string,
): Located {
  return { severity: 'warning', code, path, at, message, hint };
}
