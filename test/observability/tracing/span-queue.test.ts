import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { SpanQueue, TracingCounters } from '../../../src/observability/tracing/span-queue.ts';
import { FakeClock } from '../../setup/fake-clock.ts';

type Answer = Parameters<SpanExporter['export']>[1];

/** Holds every request until it is answered. */
class HeldExporter implements SpanExporter {
  readonly sizes: number[] = [];
  readonly answers: Answer[] = [];

  export(spans: ReadableSpan[], answer: Answer): void {
    this.sizes.push(spans.length);
    this.answers.push(answer);
  }

  async shutdown(): Promise<void> {}
}

function rig(maxSpans: number) {
  const clock = new FakeClock();
  const exporter = new HeldExporter();
  const counters = new TracingCounters();
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
  const queue = new SpanQueue({ exporter, maxSpans, counters, clock, log });
  const end = (count: number): void => {
    for (let n = 0; n < count; n += 1) queue.onEnd({} as ReadableSpan);
  };
  const balanced = (): boolean => {
    const { spans, exported, dropped, failed, queued } = counters;
    return spans === exported + dropped + failed + queued;
  };
  return { clock, exporter, counters, warnings, queue, end, balanced };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('spans wait a second for others, and go one request at a time', async () => {
  const { clock, exporter, counters, end, balanced } = rig(1_000);
  end(3);
  await clock.advance(999);
  expect(exporter.sizes).toEqual([]);
  await clock.advance(1);
  await turn();
  expect(exporter.sizes).toEqual([3]);
  end(600);
  await clock.advance(5_000);
  await turn();
  expect(exporter.sizes).toEqual([3]);
  exporter.answers[0]?.({ code: 0 });
  await turn();
  expect(exporter.sizes).toEqual([3, 256]);
  exporter.answers[1]?.({ code: 0 });
  await turn();
  exporter.answers[2]?.({ code: 0 });
  await turn();
  expect(exporter.sizes).toEqual([3, 256, 256, 88]);
  expect(counters).toMatchObject({ spans: 603, exported: 515, queued: 88 });
  expect(balanced()).toBe(true);
});

test('a full batch does not wait', async () => {
  const { clock, exporter, end } = rig(1_000);
  end(256);
  await clock.advance(0);
  await turn();
  expect(exporter.sizes).toEqual([256]);
});

test('what has no room is dropped, what is refused has failed, and the log says so once', async () => {
  const { clock, exporter, counters, warnings, end, balanced } = rig(300);
  end(256);
  await clock.advance(0);
  await turn();
  end(400);
  expect(counters).toMatchObject({ dropped: 100, queued: 556 });
  exporter.answers[0]?.({ code: 1, error: new Error('no') });
  await turn();
  exporter.answers[1]?.({ code: 1, error: new Error('no') });
  await turn();
  expect(counters).toMatchObject({ failed: 512, queued: 44 });
  expect(balanced()).toBe(true);
  expect(warnings).toEqual(['traces cannot be exported, and spans are lost: no']);
});

test('a request that is never answered has failed after 15 s, and does not hold the next', async () => {
  const { clock, exporter, counters, warnings, end, balanced } = rig(1_000);
  end(256);
  await clock.advance(0);
  await turn();
  end(10);
  await clock.advance(14_999);
  await turn();
  expect(counters).toMatchObject({ failed: 0, queued: 266 });
  await clock.advance(1);
  await turn();
  expect(counters).toMatchObject({ failed: 256, queued: 10 });
  expect(exporter.sizes).toEqual([256, 10]);
  exporter.answers[0]?.({ code: 0 });
  exporter.answers[1]?.({ code: 0 });
  await turn();
  expect(counters).toMatchObject({ failed: 256, exported: 10, queued: 0 });
  expect(balanced()).toBe(true);
  expect(warnings).toEqual(['traces cannot be exported, and spans are lost: no answer within 15 s']);
});

test('close exports what waits, within its time; the rest is counted once', async () => {
  const { clock, exporter, counters, queue, end, balanced } = rig(1_000);
  end(300);
  const closed = queue.close(1_000);
  await turn();
  exporter.answers[0]?.({ code: 0 });
  await turn();
  await clock.advance(1_000);
  await closed;
  expect(counters).toMatchObject({ exported: 256, dropped: 44, queued: 0 });
  expect(clock.pending).toBe(0); // no timer keeps the process
  exporter.answers[1]?.({ code: 0 });
  await turn();
  end(1);
  expect(counters).toMatchObject({ spans: 301, exported: 256, dropped: 45, failed: 0, queued: 0 });
  expect(balanced()).toBe(true);
});

test('an exporter that throws costs its spans and nothing else', async () => {
  const { clock, exporter, counters, warnings, end, balanced } = rig(1_000);
  const whole = exporter.export;
  exporter.export = () => {
    throw new Error('no request can be made of it');
  };
  end(2);
  await clock.advance(1_000);
  await turn();
  expect(counters).toMatchObject({ failed: 2, queued: 0 });
  expect(warnings).toEqual([expect.stringContaining('no request can be made of it')]);
  exporter.export = whole;
  end(3);
  await clock.advance(1_000);
  await turn();
  exporter.answers[0]?.({ code: 0 });
  await turn();
  expect(counters).toMatchObject({ exported: 3, failed: 2, queued: 0 });
  expect(balanced()).toBe(true);
});
