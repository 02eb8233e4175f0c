import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { TraceIds } from '../../../src/observability/tracing/trace-ids.ts';
import { seeded } from '../../setup/seeded.ts';

test.each([0.001, 0.01, 0.3, 1])('what is sampled at %d is what the sampler of the SDK samples', (ratio) => {
  const random = seeded(7);
  const ids = new TraceIds(ratio, random);
  const sampler = new TraceIdRatioBasedSampler(ratio);
  let sampled = 0;
  for (let n = 0; n < 20_000; n += 1) {
    if (!ids.draw()) continue;
    sampled += 1;
    const id = ids.generateTraceId();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(sampler.shouldSample(ROOT_CONTEXT, id).decision).toBe(SamplingDecision.RECORD_AND_SAMPLED);
  }
  expect(Math.abs(sampled - 20_000 * ratio)).toBeLessThan(5 * Math.sqrt(20_000 * ratio) + 1);
});

test('nothing is sampled at 0, and no id is all zeros', () => {
  const none = new TraceIds(0, seeded(1));
  for (let n = 0; n < 1_000; n += 1) expect(none.draw()).toBe(false);
  const ids = new TraceIds(1, () => 0);
  expect(ids.draw()).toBe(true);
  expect(ids.generateTraceId()).toBe(`${'0'.repeat(31)}1`);
});
