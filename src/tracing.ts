import type { Environment } from './components.ts';
import { redactUrl } from './config/redact.ts';
import type { GatewayConfig, SourceConfig, TargetConfig } from './config/types.ts';
import type { TracedPlace } from './core/tracer.ts';
import { FEATURES } from './models/features.ts';
import type { Tracing } from './observability/tracing/tracing.ts';
import { rawValue } from './telemetry/raw-value.ts';

/** Fields of adapters that say where on the broker, in the order in which they are looked at. */
const ADDRESSES = ['topic', 'exchange', 'queue'] as const;

/** The tracer of a configuration; undefined where nothing is traced, and then OpenTelemetry is not even loaded. */
export async function openTracing(
  { tracing, name }: GatewayConfig,
  { instance, clock, random, log }: Environment,
): Promise<Tracing | undefined> {
  if (tracing === undefined) return undefined;
  const { Tracing } = await import('./observability/tracing/tracing.ts');
  const { endpoint, headers, sample, maxSpans, serviceName = name } = tracing;
  const options = { endpoint, headers, sample, maxSpans, service: serviceName, instance, readFeatures };
  return new Tracing({ ...options, clock, random, log });
}

export function placeOf({ name, kind, adapter }: SourceConfig | TargetConfig): TracedPlace {
  const address = ADDRESSES.map((field) => adapter[field]).find((value) => typeof value === 'string');
  return { name, kind, address: address && redactUrl(address) };
}

function readFeatures(row: Float32Array): Record<string, number> {
  const known = FEATURES.flatMap((feature, column) => {
    const value = rawValue(feature, row[column]);
    return value === undefined ? [] : [[feature.name, value] as const];
  });
  return Object.fromEntries(known);
}
