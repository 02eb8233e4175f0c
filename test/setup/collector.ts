import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './eventually.ts';

type Value = string | number | boolean | readonly Value[];

/** A span as the collector was told of it. */
export interface CollectedSpan {
  readonly name: string;
  /** 4 is a producer, 5 a consumer (OTLP `SpanKind`). */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly resource: Readonly<Record<string, Value>>;
  /** 2 is an error. */
  readonly status: { readonly code?: number; readonly message?: string };
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, Value>> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A server that takes spans by OTLP/HTTP in JSON. */
export interface Collector {
  readonly url: string;
  readonly spans: CollectedSpan[];
  /** Headers of each request. */
  readonly requests: IncomingHttpHeaders[];
  /** The one span of this name, once it is there. */
  span(name: string): Promise<CollectedSpan>;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const requests: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push(request.headers);
      if (request.url !== '/v1/traces') return void response.writeHead(404).end();
      spans.push(...spansOf(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Exported));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    spans,
    requests,
    span: (name) =>
      eventually(() => {
        const found = spans.filter((span) => span.name === name);
        if (found.length !== 1) throw new Error(`${found.length} spans "${name}" among ${spans.map((s) => s.name)}`);
        return found[0] as CollectedSpan;
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What of OTLP (https://opentelemetry.io/docs/specs/otlp/, JSON) is looked at. */
interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

interface ExportedSpan extends Omit<CollectedSpan, 'attributes' | 'resource' | 'events'> {
  readonly attributes: readonly KeyValue[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly KeyValue[] }[];
}

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
}

function spansOf({ resourceSpans }: Exported): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...span,
        attributes: plain(span.attributes),
        resource: plain(resource.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: plain(attributes) })),
      })),
    ),
  );
}

function plain(attributes: readonly KeyValue[]): Record<string, Value> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue({ stringValue, boolValue, intValue, doubleValue, arrayValue }: AnyValue): Value {
  if (arrayValue !== undefined) return arrayValue.values.map(plainValue);
  const value = stringValue ?? boolValue ?? doubleValue ?? (intValue === undefined ? undefined : Number(intValue));
  if (value === undefined || value === null) throw new Error('an attribute has no value');
  return value;
}
