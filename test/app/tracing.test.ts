import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Gateway } from '../../src/app.ts';
import type { TargetConfig } from '../../src/config/types.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import { placeOf } from '../../src/tracing.ts';
import { type Collector, startCollector } from '../setup/collector.ts';
import { extensions, jsonEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { document, Mesh, numbered, route } from './mesh.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

async function collector(): Promise<Collector> {
  const started = await startCollector();
  onTestFinished(() => started.close());
  return started;
}

/** One route from `in` to `out`, traced. */
function traced(tracing: object, over: object = {}): Record<string, unknown> {
  const targets = { out: { broker: 'here', topic: 'out' } };
  return document({ targets, routes: [route('all', ['in'], ['out'])], tracing, drain: { deadline: '1s' }, ...over });
}

function from(traceparent: string, n = 1): MeshEvent {
  return jsonEvent(n, { id: `e-${n}`, extensions: extensions({ traceparent, tracestate: 'vendor=1' }) });
}

/** Headers beside what arrives on a topic. */
function headers(mesh: Mesh, name: string): (Readonly<Record<string, unknown>> | undefined)[] {
  const found: (Readonly<Record<string, unknown>> | undefined)[] = [];
  const topic = mesh.broker.topic(name);
  topic.onRecords(() => {
    const records = topic.take(10_000);
    topic.acknowledge(records.length);
    found.push(...records.map(({ record }) => record.headers));
  });
  return found;
}

const counters = (gateway: Gateway): NonNullable<ReturnType<Gateway['status']>['tracing']> => {
  const { tracing } = gateway.status();
  if (tracing === undefined) throw new Error('nothing is traced');
  return tracing;
};

describe('an event', () => {
  test('has a span from receipt to settlement, a child for its send, and a context that goes on in the next hop', async () => {
    const { url, span, requests } = await collector();
    const mesh = new Mesh();
    const out = headers(mesh, 'out');
    const config = traced(
      { endpoint: url, sample: 1, headers: { 'x-api-key': 'secret' }, serviceName: 'edge' },
      {
        sources: { in: { broker: 'here', topic: 'in' }, back: { broker: 'here', topic: 'middle' } },
        targets: { middle: { broker: 'here', topic: 'middle' }, out: { broker: 'here', topic: 'out' } },
        routes: [route('there', ['in'], ['middle']), route('on', ['back'], ['out'])],
      },
    );
    await mesh.run(config);
    mesh.put('in', [jsonEvent(1, { id: 'e-1' })]);
    const [first, sent, second, last] = [
      await span('process in'),
      await span('send middle'),
      await span('process back'),
      await span('send out'),
    ];
    expect([first.kind, sent.kind]).toEqual([5, 4]);
    expect(first.parentSpanId ?? '').toBe('');
    expect(sent).toMatchObject({ traceId: first.traceId, parentSpanId: first.spanId });
    expect(second).toMatchObject({ traceId: first.traceId, parentSpanId: sent.spanId });
    expect(last).toMatchObject({ traceId: first.traceId, parentSpanId: second.spanId });
    expect(out).toEqual([{ traceparent: `00-${first.traceId}-${last.spanId}-01` }]);
    expect(first.attributes).toMatchObject({
      'messaging.system': 'memory',
      'messaging.destination.name': 'in',
      'messaging.operation.type': 'process',
      'cloudevents.event_id': 'e-1',
      'fairlead.source': 'in',
      'fairlead.outcome': 'ack',
    });
    expect(sent.attributes).toMatchObject({
      'messaging.destination.name': 'middle',
      'messaging.operation.type': 'send',
      'fairlead.route': 'there',
      'fairlead.target': 'middle',
      'fairlead.attempt': 1,
    });
    expect(first.resource['service.name']).toBe('edge');
    expect(requests[0]?.['x-api-key']).toBe('secret');
  });

  test('of a trace continues it, whatever the sample, and keeps its attributes', async () => {
    const { url, span } = await collector();
    const mesh = new Mesh();
    const arrived = mesh.read('out');
    await mesh.run(traced({ endpoint: url, sample: 0 }));
    const event = from(`00-${TRACE}-${SPAN}-01`);
    mesh.put('in', [event]);
    expect(await span('process in')).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, traceState: 'vendor=1' });
    expect(await span('send out')).toMatchObject({ traceId: TRACE, traceState: 'vendor=1' });
    expect(arrived).toEqual([event]);
  });

  test('that is not sampled goes as if there was no tracing', async () => {
    const { url, spans } = await collector();
    const mesh = new Mesh();
    const out = headers(mesh, 'out');
    const gateway = await mesh.run(traced({ endpoint: url, sample: 0 }));
    mesh.put('in', [from(`00-${TRACE}-${SPAN}-00`), from('nonsense', 2), jsonEvent(3)]);
    await mesh.settled(gateway);
    expect(out).toEqual([undefined, undefined, undefined]);
    expect(counters(gateway)).toMatchObject({ events: 0, spans: 0 });
    await gateway.stop();
    expect(spans).toEqual([]);
  });

  test('is sampled by its share', async () => {
    const { url } = await collector();
    const mesh = new Mesh();
    mesh.read('out');
    const gateway = await mesh.run(traced({ endpoint: url, sample: 0.25 }));
    mesh.put(
      'in',
      Array.from({ length: 4_000 }, (_, n) => numbered(n, `k-${n % 50}`)),
    );
    await mesh.settled(gateway);
    const { events, spans } = counters(gateway);
    expect(events).toBeGreaterThan(800);
    expect(events).toBeLessThan(1_200);
    expect(spans).toBe(2 * events);
  });

  test('that cannot be delivered tells each attempt and its end', async () => {
    const { url, spans, span } = await collector();
    const mesh = new Mesh();
    mesh.of('out').failing = true;
    const policies = { twice: { retry: 1, backoffDelay: '1ms' } };
    const targets = { out: { broker: 'here', topic: 'out', policies: ['twice'] } };
    await mesh.run(traced({ endpoint: url, sample: 1 }, { policies, targets }));
    mesh.put('in', [jsonEvent(1)]);
    const event = await span('process in');
    const sends = spans.filter(({ name }) => name === 'send out');
    expect(sends.map(({ attributes }) => attributes['fairlead.attempt'])).toEqual([1, 2]);
    for (const { status, attributes } of sends) {
      expect(status).toEqual({ code: 2, message: 'as asked for' });
      expect(attributes).toMatchObject({ 'error.type': 'E_TEST', 'fairlead.send.status': 'failed' });
    }
    expect(event.events).toEqual([
      {
        name: 'fairlead.dead_lettered',
        attributes: { 'error.type': 'E_TEST', 'fairlead.route': 'all', 'fairlead.target': 'out' },
      },
    ]);
    expect(event.status.code).toBe(2);
    expect(event.attributes['fairlead.outcome']).toBe('ack');
  });

  test('that no route takes and that is dropped is no error', async () => {
    const { url, span } = await collector();
    const mesh = new Mesh();
    const off = { ...route('all', ['in'], ['out']), state: 'disabled' };
    await mesh.run(traced({ endpoint: url, sample: 1 }, { routes: [off], unmatched: 'drop' }));
    mesh.put('in', [jsonEvent(1)]);
    const { events, status } = await span('process in');
    expect(events).toEqual([{ name: 'fairlead.dropped', attributes: { 'error.type': 'E_UNMATCHED' } }]);
    expect(status.code ?? 0).toBe(0);
  });
});

test('the attempt of a choice tells how it was decided', async () => {
  const { url, spans } = await collector();
  const mesh = new Mesh();
  const path = mkdtempSync(join(tmpdir(), 'fairlead-tracing-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  mesh.read('eu');
  mesh.read('us');
  const place = (topic: string): object => ({ broker: 'here', topic, labels: { region: topic } });
  const gateway = await mesh.run(
    traced(
      { endpoint: url, sample: 1 },
      {
        targets: { eu: place('eu'), us: place('us'), mars: place('mars') },
        choices: { any: { targets: ['eu', 'us', 'mars'], by: 'adaptive', require: { region: ['eu', 'us'] } } },
        routes: [route('all', ['in'], ['any'])],
        telemetry: { path },
      },
    ),
  );
  for (let n = 0; n < 10; n += 1) {
    mesh.put('in', [jsonEvent(n)]);
    await mesh.settled(gateway);
  }
  await eventually(() => {
    mesh.put('in', [jsonEvent(0)]);
    return spans.some(({ attributes }) => attributes['fairlead.feature.ack_ewma_1s'] !== undefined);
  });
  const sends = spans.filter(({ name }) => name.startsWith('send '));
  for (const { name, attributes } of sends) {
    const chosen = attributes['fairlead.decision.chosen'];
    expect(name).toBe(`send ${chosen}`);
    expect(attributes).toMatchObject({ 'fairlead.choice': 'any', 'fairlead.decision.policy': 'adaptive' });
    expect(attributes['fairlead.decision.eligible']).toEqual(['eu', 'us']);
    expect(['analytic', 'lease']).toContain(attributes['fairlead.decision.by']);
    expect(attributes['fairlead.decision.propensity']).toBeGreaterThan(0);
    expect(attributes['fairlead.score.eu']).toBeTypeOf('number');
    expect(attributes['fairlead.score.us']).toBeTypeOf('number');
    expect(attributes).not.toHaveProperty('fairlead.score.mars');
  }
});

test('a collector that is down costs spans and nothing else', async () => {
  const mesh = new Mesh();
  const arrived = mesh.read('out');
  const gateway = await mesh.run(traced({ endpoint: 'http://127.0.0.1:1/v1/traces', sample: 1, maxSpans: 256 }));
  mesh.put(
    'in',
    Array.from({ length: 1_000 }, (_, n) => numbered(n, `k-${n % 50}`)),
  );
  await mesh.settled(gateway);
  expect(arrived).toHaveLength(1_000);
  mesh.put('in', [numbered(1_000, 'k')]);
  await mesh.settled(gateway);
  const before = counters(gateway);
  expect(before.spans).toBe(2 * before.events);
  expect(before.events + before.skipped).toBe(1_001);
  expect(before.skipped).toBeGreaterThan(0);
  expect(before.dropped).toBeGreaterThan(0);
  await gateway.stop();
  expect(arrived).toHaveLength(1_001);
  const { spans, exported, dropped, failed, queued } = counters(gateway);
  expect(queued).toBe(0);
  expect(exported).toBe(0);
  expect(dropped + failed).toBe(spans);
  expect(mesh.logged.some(({ message }) => message.includes('could not be exported in time'))).toBe(true);
});

test('what has ended is exported when the gateway stops', async () => {
  const { url, spans } = await collector();
  const mesh = new Mesh();
  mesh.read('out');
  const gateway = await mesh.run(traced({ endpoint: url, sample: 1 }));
  mesh.put('in', [jsonEvent(1), jsonEvent(2)]);
  await mesh.settled(gateway);
  await gateway.stop();
  expect(spans).toHaveLength(4);
  expect(counters(gateway)).toMatchObject({ events: 2, spans: 4, exported: 4, dropped: 0, failed: 0, queued: 0 });
});

test('what spans tell of a place has no password in it', () => {
  const adapter = { queue: 'http://me:secret@sqs:9324/000000000000/out' };
  const { address } = placeOf({ name: 'out', kind: 'sqs', adapter } as unknown as TargetConfig);
  expect(address).toBe('http://***@sqs:9324/000000000000/out');
});
