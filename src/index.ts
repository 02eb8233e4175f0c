/**
 * Fairlead as a library: run a gateway inside a program, read configurations, convert events, write adapters.
 *
 * @example
 * import { adapters, loadConfigFile, openGateway } from 'fairlead';
 *
 * const { config, findings } = loadConfigFile('fairlead.yaml', { adapters, env: process.env });
 * if (config === undefined) throw new Error(findings.map(({ message }) => message).join('\n'));
 * const gateway = await openGateway(config, { adapters }, (error) => console.error(error.code, error.message));
 * gateway.start((error) => console.error(error.code, error.message));
 * // … and to stop:
 * await gateway.stop();
 *
 * @example
 * import { createMatcher } from 'fairlead';
 *
 * const matcher = createMatcher([
 *   { name: 'hot', pattern: { data: { celsius: [{ numeric: ['>', 90] }] } } },
 *   { name: 'plant', filters: [{ sql: "type LIKE 'com.acme.%' AND level < 5" }] },
 * ]);
 * matcher.match({ id: '1', source: '/plant/7', type: 'com.acme.reading', level: 3, data: { celsius: 93 } }); // ['hot', 'plant']
 *
 * @packageDocumentation
 */

// Writing an adapter: docs/adding-an-adapter.md
export { byteSize, duration, secret, template } from './adapters/fields.ts';
// The gateway
export { adapters } from './adapters/registry.ts';
export {
  type AdapterContext,
  type AdapterSpec,
  type BrokerHandle,
  type CommonSourceConfig,
  type CommonTargetConfig,
  type DryRunSource,
  defineAdapter,
  type LintEntry,
  type LintFinding,
  type WrapConfig,
} from './adapters/spec.ts';
export { Gateway, type GatewayEnvironment, type GatewayState, type OwnedDeadLetters, openGateway } from './app.ts';
export type { BreakerStatus } from './breaker.ts';
export { buildEvent } from './cloudevents/attributes.ts';
// Events
export { decodeJson, decodeJsonBatch, encodeJson, encodeJsonBatch } from './cloudevents/json.ts';
export { fromSdk, toSdk } from './cloudevents/sdk.ts';
// Configurations
export { type Finding, formatFinding } from './config/finding.ts';
export { jsonSchema } from './config/json-schema.ts';
export { type LoadOptions, type LoadResult, loadConfig, loadConfigFile } from './config/load.ts';
export type { GatewayConfig } from './config/types.ts';
export type { Clock, Random } from './core/clock.ts';
export { LATENCY_BOUNDS_MS, type LegCounters, type SourceCounters } from './core/counters.ts';
export type { DeadLetterInit, DeadLetterKeeper } from './core/dead-letter.ts';
// The ports
export {
  ACK,
  type Delivery,
  type DeliveryBatch,
  type DeliveryMeta,
  type EventDelivery,
  type NativeHeaders,
  type Outcome,
  type PoisonDelivery,
  type Position,
} from './core/delivery.ts';
export { type FailureInit, FairleadError, type Sent } from './core/errors.ts';
export { type AttributeValue, type EventInit, type Extensions, MeshEvent, newExtensions } from './core/event.ts';
export type { Log } from './core/log.ts';
export type { Filter, Pattern } from './core/routing.ts';
export { SCORE_COLUMNS, type Scorer } from './core/scorer.ts';
export {
  type CandidateScore,
  type CostWeights,
  type Decision,
  type DecisionBy,
  type Explanation,
  type FeatureSnapshot,
  type NoTarget,
  SELECTORS,
  type Selector,
  type SelectorConfig,
  type SelectorDeps,
  type SelectorEvent,
  type SelectorName,
  type SelectorTarget,
  type SendOutcome,
  type SendStatus,
  type Ticket,
} from './core/selector.ts';
export type { CheckItem, Health, Intake, Source, SourceFeatures } from './core/source.ts';
export {
  CONFIRMED,
  type Leg,
  resultOf,
  type SendLimits,
  type SendResult,
  type Target,
  type TargetFeatures,
  type TargetNotify,
} from './core/target.ts';
// Recorded decisions: docs/guide/telemetry.md
export type { TrainingRow } from './core/training-row.ts';
// Models
export { FEATURE_COUNT, FEATURES, type Feature, SCHEMA_HASH, type Scale } from './models/features.ts';
// A model for `Selector.use`: docs/guide/models.md
export { loadModelFile } from './models/measuring.ts';
export type { LoadedModel } from './models/slot.ts';
export { createLog } from './observability/log.ts';
export type { ReloadSummary } from './reload/summary.ts';
// Conditions
export { type CesqlFinding, checkCesql } from './router/cesql/check.ts';
export type { CesqlResult } from './router/cesql/expression.ts';
export type { CesqlErrorKind } from './router/cesql/failure.ts';
export { type CesqlFilter, type CesqlVerdict, compileCesqlFilter } from './router/cesql/filter.ts';
export { CesqlParseError } from './router/cesql/parse-error.ts';
export { compileFilters, type Predicate } from './router/filter.ts';
export type { SliceOptions } from './router/index/slices.ts';
export { PatternError } from './router/pattern/finding.ts';
export { type CompiledPattern, compilePattern, type PlainEvent } from './router/pattern/public.ts';
export {
  type CompiledCesql,
  compileCesql,
  createMatcher,
  createMatcherInSlices,
  type Matcher,
  type NamedRoute,
} from './router/public.ts';
// Choosing among targets: docs/guide/selectors.md
export { createSelector } from './selecting.ts';
export type { GatewayStatus, ReloadStatus, RouteStatus, SourceStatus, TargetStatus } from './status.ts';
export { type ReadTelemetryOptions, readRecords, readTelemetry, type TelemetryRows } from './telemetry/read.ts';
export type { DecisionRecord, FileHeader, SnapshotRecord, TelemetryRecord } from './telemetry/records.ts';
