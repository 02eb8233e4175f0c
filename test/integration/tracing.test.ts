import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test as runs } from 'vitest';
import { startCollector } from '../setup/collector.ts';
import { eventually } from '../setup/eventually.ts';
import { routeConfig, runGateway } from '../setup/gateway.ts';
import { createPlace } from '../setup/places/index.ts';
import type { Kind, Mode } from '../setup/places/place.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
/** What the attributes tell of where the event began, and the headers of the hop that brings it. */
const ORIGIN = `00-${TRACE}-00f067aa0ba902b7-01`;
const HOP = `00-${TRACE}-b7ad6b7169203331-01`;

const KINDS: readonly Kind[] = ['kafka', 'rabbitmq', 'mqtt', 'sqs'];
const MODES: readonly Mode[] = ['binary', 'structured'];

/** Takes what a target POSTs. */
async function receiver(): Promise<{ url: string; received: IncomingHttpHeaders[] }> {
  const received: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    received.push(request.headers);
    request.resume().on('end', () => response.writeHead(202).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
}

runs.for(KINDS.flatMap((kind) => MODES.map((mode) => [kind, mode] as const)))(
  'a trace goes on through %s in %s mode, and the attributes of the event stay',
  async ([kind, mode]) => {
    const collector = await startCollector();
    onTestFinished(() => collector.close());
    const { url, received } = await receiver();
    const entry = await createPlace('http');
    const middle = await createPlace(kind);
    onTestFinished(() => Promise.all([entry.close(), middle.close()]).then(() => undefined));
    const targets = {
      middle: { broker: 'b', ...middle.target, encoding: mode },
      hook: { broker: 'a', url, encoding: 'binary' },
    };
    const deliver = { delivery: { deadLetter: { store: true } } };
    const text = routeConfig(entry, middle, {
      sources: { in: { broker: 'a', ...entry.source }, back: { broker: 'b', ...middle.source } },
      targets,
      routes: [
        { name: 'there', from: ['in'], to: ['middle'], ...deliver },
        { name: 'back', from: ['back'], to: ['hook'], ...deliver },
      ],
      tracing: { endpoint: collector.url, sample: 0 },
    });
    const { stop } = await runGateway(text);
    onTestFinished(stop);
    const port = (entry.broker as { listen: { port: number } }).listen.port;
    const body = JSON.stringify({ n: 1 });
    const answer = await fetch(`http://127.0.0.1:${port}/events`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': 'e-1',
        'ce-source': '/test',
        'ce-type': 'test.reading',
        'ce-partitionkey': 'k',
        'ce-traceparent': ORIGIN,
        'ce-tracestate': 'began=1',
        traceparent: HOP,
        tracestate: 'hop=1',
      },
    });
    expect(answer.status).toBe(202);
    await eventually(() => received.length > 0, { timeoutMs: 30_000 });
    const first = await collector.span('process in');
    const sent = await collector.span('send middle');
    const second = await collector.span('process back');
    const last = await collector.span('send hook');
    for (const { traceId } of [first, sent, second, last]) expect(traceId).toBe(TRACE);
    expect(first.parentSpanId).toBe('b7ad6b7169203331');
    expect(first.links.map(({ spanId }) => spanId)).toEqual(['00f067aa0ba902b7']);
    expect(sent.parentSpanId).toBe(first.spanId);
    // MQTT in binary mode has one place for both, and the attribute stays.
    const isTaken = kind === 'mqtt' && mode === 'binary';
    expect(second.parentSpanId).toBe(isTaken ? '00f067aa0ba902b7' : sent.spanId);
    expect(last.parentSpanId).toBe(second.spanId);
    expect(received[0]).toMatchObject({
      'ce-traceparent': ORIGIN,
      'ce-tracestate': 'began=1',
      traceparent: `00-${TRACE}-${last.spanId}-01`,
      tracestate: isTaken ? 'began=1' : 'hop=1',
    });
    expect(sent.attributes['messaging.system']).toBe(kind === 'sqs' ? 'aws_sqs' : kind);
  },
);
