import type { AdapterSpec } from './adapters/spec.ts';
import { unwrap } from './config/inspect.ts';
import { redactUrl } from './config/redact.ts';
import type { GatewayConfig, TargetConfig } from './config/types.ts';
import type { MeshEvent } from './core/event.ts';
import { compileTemplate, type Template } from './core/template.ts';
import { attributeText } from './router/attribute.ts';
import { compileExplainer, type RouteVerdict } from './router/explain/explain.ts';

/** One leg that an event would get. */
export interface PlannedLeg {
  /** `unmatched` where no route matched. */
  readonly route: string;
  readonly target: string;
  /** The adapter's type. */
  readonly kind: string;
  /** True: the route is paused, so the leg waits. */
  readonly held?: true;
  /** Where the target would put it, e.g. `{ topic: 'readings', key: '/plant/7' }`; null where an attribute is missing. */
  readonly address?: Readonly<Record<string, string | null>>;
}

/** What would become of an event from a source, and why. */
export interface Explanation {
  readonly source: string;
  readonly event: { readonly id: string; readonly source: string; readonly type: string };
  /** Every route of the configuration, in its order. */
  readonly routes: readonly RouteVerdict[];
  /** What `unmatched` makes of it, where no route matched. */
  readonly unmatched?: 'dead-letter' | 'drop' | 'fail' | 'send';
  readonly legs: readonly PlannedLeg[];
}

export type Explainer = (event: MeshEvent, source: string) => Explanation;

type Address = (event: MeshEvent) => PlannedLeg['address'];

/**
 * Explains what a configuration does with events; connects to nothing. `wall` gives milliseconds since 1970, for time windows.
 */
export function createExplainer(
  config: GatewayConfig,
  adapters: readonly AdapterSpec[],
  wall: () => number,
): Explainer {
  const explain = compileExplainer(config.routes, wall);
  const routes = new Map(config.routes.map((route) => [route.name, route]));
  const targets = new Map(
    config.targets.map((target) => [target.name, { ...target, at: addressOf(target, adapters) }]),
  );
  const leg = (route: string, target: string, event: MeshEvent, held: boolean): PlannedLeg => {
    const { kind = '', at } = targets.get(target) ?? {};
    const address = at?.(event);
    return { route, target, kind, ...(held ? { held } : {}), ...(address === undefined ? {} : { address }) };
  };
  return (event, source) => {
    const verdicts = explain(event, source);
    const { id, type } = event;
    const common = { source, event: { id, source: event.source, type }, routes: verdicts };
    const matched = verdicts.filter((verdict) => verdict.matched);
    const legs = matched.flatMap(({ route, paused = false }) =>
      (routes.get(route)?.to ?? []).map((target) => leg(route, target, event, paused)),
    );
    if (matched.length > 0) return { ...common, legs };
    const { unmatched } = config;
    if (typeof unmatched === 'string') return { ...common, unmatched, legs };
    return { ...common, unmatched: 'send', legs: unmatched.to.map((to) => leg('unmatched', to, event, false)) };
  };
}

/** The fields of a target that say where events go, rendered: templates, and the names of exchanges and queues. */
function addressOf({ kind, adapter }: TargetConfig, adapters: readonly AdapterSpec[]): Address {
  const shape = adapters.find(({ type }) => type === kind)?.target?.schema.shape ?? {};
  const parts = Object.entries(shape).flatMap(([field, schema]): (readonly [string, string | Template])[] => {
    const text = adapter[field];
    if (typeof text !== 'string') return [];
    if (unwrap(schema).kind === 'template') return [[field, compileTemplate(text)]];
    return field === 'exchange' || field === 'queue' ? [[field, redactUrl(text)]] : [];
  });
  if (parts.length === 0) return () => undefined;
  return (event) => {
    const resolve = (name: string): string | undefined => {
      const value = event.attribute(name);
      return value === undefined ? undefined : attributeText(value);
    };
    return Object.fromEntries(
      parts.map(([field, part]) => {
        const text = typeof part === 'string' ? part : part.render(resolve);
        return [field, text === undefined ? null : redactUrl(text)];
      }),
    );
  };
}
