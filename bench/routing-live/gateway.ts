import { stringify } from 'yaml';
import type { SelectorName } from '../../src/core/selector.ts';
import type { LiveTarget } from './stand.ts';

/** How long a send may take before its outcome counts as unknown and the event may go elsewhere. */
export const SEND_TIMEOUT_MS = 1_000;

export interface Learning {
  /** An ONNX model for `predictive`. */
  readonly model: string | undefined;
  /** Folder in which decisions are recorded. */
  readonly telemetry: string | undefined;
}

/** The same gateway for every policy but for `by`: one route, one choice among all targets, a breaker on each. */
export function gatewayConfig(
  targets: readonly LiveTarget[],
  by: SelectorName,
  port: number,
  { model, telemetry }: Learning,
): string {
  const named = <T>(entry: (target: LiveTarget) => T): Record<string, T> =>
    Object.fromEntries(targets.map((target) => [target.kind, entry(target)]));
  return stringify({
    version: 1,
    name: `live-${by}`,
    brokers: { in: { type: 'http', listen: { port, maxConnections: 10_000 } }, ...named(({ broker }) => broker) },
    sources: { in: { broker: 'in', path: '/events', timeout: '20s', maxInFlight: 20_000 } },
    targets: named(({ kind, place }) => ({ broker: kind, ...place.target, policies: ['live'] })),
    policies: {
      live: {
        timeout: `${SEND_TIMEOUT_MS}ms`,
        retry: 50,
        backoffDelay: '20ms',
        backoffMax: '200ms',
        circuitBreaker: { window: '2s', minimum: 20, halfOpenAfter: '1s', halfOpenAfterMax: '2s', probes: 2 },
      },
    },
    ...(model === undefined ? {} : { models: { live: { path: model } } }),
    ...(telemetry === undefined ? {} : { telemetry: { path: telemetry, sample: 1 } }),
    choices: { any: { targets: targets.map(({ kind }) => kind), by, slo: '50ms', onUnknown: 'reselect' } },
    routes: [{ name: 'any', from: ['in'], to: ['any'], delivery: { deadLetter: { store: true } } }],
    store: { path: '$STORE' },
    drain: { deadline: '3s' },
    log: { level: 'warn' },
  });
}
