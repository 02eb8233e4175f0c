import type { ConfigDocument } from './document.ts';
import type { Located } from './finding.ts';
import type { Filter, GatewayConfig, RouteConfig } from './types.ts';

/** Risks in a configuration that is otherwise valid: what would get lost from sight, and what nothing uses. */
export function lintRoutes(config: GatewayConfig, document: ConfigDocument): readonly Located[] {
  return [...lintUnmatched(config, document), ...lintEachRoute(config, document), ...lintUnused(config)];
}

function lintUnmatched(config: GatewayConfig, document: ConfigDocument): readonly Located[] {
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

function lintEachRoute({ routes }: GatewayConfig, document: ConfigDocument): readonly Located[] {
  const found: Located[] = [];
  for (const [index, route] of routes.entries()) {
    const { name, from, to, delivery } = route;
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
    const letters = delivery.deadLetter.target;
    if (letters !== undefined && to.includes(letters)) {
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

function lintUnused(config: GatewayConfig): readonly Located[] {
  const { brokers, sources, targets, routes, unmatched } = config;
  const read = new Set(routes.flatMap(({ from }) => from));
  const sent = new Set(routes.flatMap(({ to, delivery }) => [...to, delivery.deadLetter.target]));
  if (typeof unmatched === 'object') for (const name of unmatched.to) sent.add(name);
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

function isConditional(route: RouteConfig): boolean {
  return !route.when.filters.every(passesAll);
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
