import type { MeshEvent } from '../../core/event.ts';
import type { Filter, Pattern } from '../../core/routing.ts';
import { type Gated, isOpen } from '../gate.ts';
import { explainPattern } from '../pattern/explain.ts';
import { parsePattern } from '../pattern/parse.ts';
import { samplePoint } from '../sample.ts';
import { type Explain, explainFilters } from './filters.ts';
import type { Refusal } from './refusal.ts';

/** A route with its names, as people know it. */
export interface NamedRoute extends Gated {
  readonly name: string;
  /** Names of sources. */
  readonly from: readonly string[];
  readonly when: { readonly filters: readonly Filter[]; readonly pattern?: Pattern | undefined };
  /** Names of targets. */
  readonly to: readonly string[];
  readonly continue: boolean;
  readonly state: 'active' | 'paused' | 'disabled';
}

/** What one route said to an event. */
export interface RouteVerdict {
  readonly route: string;
  readonly matched: boolean;
  /** True: it matched and its legs are held. */
  readonly paused?: true;
  /** Why it did not match: the first condition that did not hold, in the order in which they are looked at. */
  readonly refusal?: Refusal;
}

/** Explains an event from a source: one verdict per route, in the order of the configuration. */
export type RouteExplainer = (event: MeshEvent, source: string) => readonly RouteVerdict[];

interface Considered {
  readonly route: NamedRoute;
  readonly explain: Explain;
}

/**
 * Explains what the matchers decide, route by route; slower than they are. `wall` gives milliseconds since 1970, for time
 * windows. Throws FairleadError for an expression that is refused.
 */
export function compileExplainer(routes: readonly NamedRoute[], wall: () => number): RouteExplainer {
  const considered = routes.map((route): Considered => ({ route, explain: explainCondition(route.when) }));
  return (event, source) => {
    let ended: string | undefined;
    return considered.map((one): RouteVerdict => {
      const { name, state, continue: goesOn } = one.route;
      const refusal = aside(one.route, source, ended) ?? one.explain(event) ?? gateRefusal(one.route, event, wall);
      if (refusal !== undefined) return { route: name, matched: false, refusal };
      if (!goesOn) ended = name;
      return { route: name, matched: true, ...(state === 'paused' ? { paused: true as const } : {}) };
    });
  };
}

function explainCondition({ filters, pattern }: NamedRoute['when']): Explain {
  const byFilters = explainFilters(filters, 'when.filters');
  if (pattern === undefined) return byFilters;
  const node = parsePattern(pattern);
  return (event) => byFilters(event) ?? explainPattern(node, event, 'when.pattern');
}

/** What keeps a route from being looked at. */
function aside({ state, from }: NamedRoute, source: string, ended: string | undefined): Refusal | undefined {
  if (state === 'disabled') return { code: 'disabled', at: 'state', message: 'the route is disabled' };
  if (!from.includes(source)) {
    const message = `the route does not read ${source}`;
    return { code: 'other-source', at: 'from', message, expected: from.join(', '), actual: source };
  }
  if (ended === undefined) return undefined;
  return { code: 'ended', at: 'continue', message: `${ended} before it matched and has continue: false` };
}

function gateRefusal({ active, sample = 1 }: Gated, event: MeshEvent, wall: () => number): Refusal | undefined {
  const now = active === undefined ? 0 : wall();
  if (active !== undefined && !isOpen(active, now)) {
    const { fromMs, toMs } = active;
    if (fromMs !== undefined && now < fromMs) {
      const opens = timeText(fromMs);
      return { code: 'before-window', at: 'active.from', message: `its window opens at ${opens}`, expected: opens };
    }
    const ended = timeText(toMs as number);
    return { code: 'after-window', at: 'active.to', message: `its window ended at ${ended}`, expected: ended };
  }
  if (sample === 1 || samplePoint(event) < sample) return undefined;
  const point = samplePoint(event).toFixed(6);
  const message = `the event is not in the sample: its point is ${point}, not below ${sample}`;
  return { code: 'not-sampled', at: 'sample', message, expected: String(sample), actual: point };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
