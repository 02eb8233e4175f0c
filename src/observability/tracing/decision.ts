import type { Attributes } from '@opentelemetry/api';
import type { TracedDecision } from '../../core/tracer.ts';

/** Targets whose scores stand on a span. */
const MAX_TARGETS = 32;

/** Names and raw values of a row of features; what was not known is left out. */
export type FeatureReader = (row: Float32Array) => Readonly<Record<string, number>>;

/** What a choice went by, as attributes of the attempt's span. */
export function decisionAttributes(traced: TracedDecision, read: FeatureReader): Attributes {
  const { choice, selector, eligible, decision, bytes } = traced;
  const { targets } = selector;
  const nameOf = (index: number): string => targets[index]?.name ?? '';
  const { lease, model, fallback, candidates } = selector.explain({ bytes }, eligible);
  const attributes: Attributes = {
    'fairlead.choice': choice,
    'fairlead.decision.chosen': nameOf(decision.target),
    'fairlead.decision.by': decision.by,
    'fairlead.decision.policy': decision.policy,
    'fairlead.decision.explored': decision.explored,
    'fairlead.decision.eligible': eligible.slice(0, MAX_TARGETS).map(nameOf),
  };
  setFinite(attributes, 'fairlead.decision.propensity', decision.propensity);
  if (lease !== undefined) attributes['fairlead.decision.lease'] = lease;
  if (model !== undefined) attributes['fairlead.decision.model'] = model;
  if (fallback !== undefined) attributes['fairlead.decision.fallback'] = fallback;
  const allowed = new Set(eligible.map(nameOf));
  for (const { target, score, propensity } of candidates
    .filter((one) => allowed.has(one.target))
    .slice(0, MAX_TARGETS)) {
    setFinite(attributes, `fairlead.score.${target}`, score);
    setFinite(attributes, `fairlead.chance.${target}`, propensity);
  }
  addFeatures(attributes, traced, read);
  return attributes;
}

/** Features of the chosen target, and what the model made of them. */
function addFeatures(attributes: Attributes, { selector, decision, bytes }: TracedDecision, read: FeatureReader): void {
  const snapshot = selector.snapshot();
  if (snapshot === undefined) return;
  const { classes, columns, features, scores } = snapshot;
  const row = decision.target * classes + selector.sizeClass(bytes);
  const values = read(features.subarray(row * columns, (row + 1) * columns));
  for (const [name, value] of Object.entries(values)) setFinite(attributes, `fairlead.feature.${name}`, value);
  if (scores === undefined) return;
  const [mean, q95, failure] = scores.subarray(row * 3, row * 3 + 3);
  setFinite(attributes, 'fairlead.predicted.ms', Math.exp(mean ?? Number.NaN));
  setFinite(attributes, 'fairlead.predicted.q95_ms', Math.exp(q95 ?? Number.NaN));
  setFinite(attributes, 'fairlead.predicted.failure', failure ?? Number.NaN);
}

/** OTLP in JSON has no place for NaN and infinities. */
function setFinite(attributes: Attributes, name: string, value: number): void {
  if (Number.isFinite(value)) attributes[name] = value;
}
