import { ROOT_CONTEXT } from '@opentelemetry/api';
import { AlwaysOnSampler, type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import type { Decision } from '../../../src/core/selector.ts';
import type { TracedDecision } from '../../../src/core/tracer.ts';
import { EventSpans } from '../../../src/observability/tracing/event-spans.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { jsonEvent } from '../../setup/events.ts';

const DECISION: Decision = {
  target: 0,
  by: 'rule',
  policy: 'weighted',
  propensity: Number.NaN,
  explored: false,
  reason: undefined,
};

/** Attributes of the span of a send that such a decision was about. */
function attributesOf(explain: TracedDecision['selector']['explain']): ReadableSpan['attributes'] {
  const ended: ReadableSpan[] = [];
  const processor = {
    onStart: () => undefined,
    onEnd: (span: ReadableSpan) => void ended.push(span),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const provider = new TracerProvider({ sampler: new AlwaysOnSampler(), spanProcessors: [processor] });
  const tracer = provider.getTracer('test');
  const spans = new EventSpans(tracer, tracer.startSpan('process in'), ROOT_CONTEXT, () => ({}));
  const leg = legOf(jsonEvent(1));
  const selector = { explain, snapshot: () => undefined, sizeClass: () => 0, targets: [{ name: 'a' }, { name: 'b' }] };
  spans.decided(leg, { choice: 'any', selector, eligible: [0, 1], decision: DECISION, bytes: 10 });
  spans.sending(leg, { name: 'a' }).ended({ status: 'confirmed' });
  return ended[0]?.attributes ?? {};
}

test('a selector that cannot explain itself stops no event', () => {
  const attributes = attributesOf(() => {
    throw new Error('no scores');
  });
  expect(attributes).toMatchObject({ 'fairlead.choice': 'any', 'fairlead.decision.unexplained': 'no scores' });
});

test('numbers that JSON does not have are left out', () => {
  const candidate = { available: true, inFlight: 0, score: Number.NaN, propensity: Number.NaN, parts: {} };
  const attributes = attributesOf(() => ({
    by: 'rule',
    policy: 'weighted',
    lease: undefined,
    model: undefined,
    fallback: undefined,
    candidates: [
      { ...candidate, target: 'a' },
      { ...candidate, target: 'b', score: Number.POSITIVE_INFINITY },
    ],
  }));
  expect(attributes['fairlead.decision.chosen']).toBe('a');
  expect(Object.values(attributes).filter((value) => typeof value === 'number' && !Number.isFinite(value))).toEqual([]);
});
