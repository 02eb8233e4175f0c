import { z } from 'zod';
import { byteSize, duration, secret, template } from '../fields.ts';
import type { CommonSourceConfig, CommonTargetConfig } from '../spec.ts';

const file = (): z.ZodOptional<z.ZodString> => z.string().min(1).optional();

const listen = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to bind. Any other than loopback needs `token` or `tls.clientCa`, or nothing starts.'),
  port: z.int().min(0).max(65_535).default(4200).describe('Port to bind; 0 takes any free one.'),
  portFallback: z
    .boolean()
    .default(false)
    .describe('Take the next free port where `port` is taken, instead of refusing to start. For demos.'),
  token: secret().optional().describe('Bearer token that every request must carry in `Authorization`.'),
  tls: z
    .strictObject({
      cert: z.string().min(1).describe('File with the certificate chain, PEM.'),
      key: z.string().min(1).describe('File with the private key, PEM.'),
      passphrase: secret().optional().describe('Passphrase of the private key.'),
      clientCa: file().describe('File with the authorities of client certificates, PEM; clients must then have one.'),
    })
    .optional()
    .describe('TLS files, read when the server starts. Default: plain HTTP.'),
  maxConnections: z.int().min(1).default(1_000).describe('Connections at once; further ones are closed at once.'),
  maxHeaderBytes: byteSize({ min: 1_024, max: 2 ** 20 })
    .prefault('64KiB')
    .describe('Largest header block of a request; beyond it 431.'),
  maxReadingBytes: byteSize({ min: 2 ** 16 })
    .prefault('64MiB')
    .describe('Bytes of request bodies that may be under way at once, over all paths; beyond it 503.'),
  requestTimeout: duration({ minMs: 100 }).prefault('30s').describe('Bound of receiving one request, body included.'),
  idleTimeout: duration({ minMs: 100 }).prefault('70s').describe('How long an idle keep-alive connection is kept.'),
});

const broker = z.strictObject({
  listen: listen.prefault({}).describe('The server of the sources of this broker; it starts with the first of them.'),
  url: z
    .string()
    .min(1)
    .optional()
    .describe("Base of the targets' URLs, e.g. `https://api.example.com/v1`. No credentials in it."),
  token: secret().optional().describe('Bearer token that targets send in `Authorization`.'),
  requestHeaders: z
    .record(z.string(), secret())
    .default({})
    .describe('Headers that targets send with every request, e.g. an API key. Values are secrets.'),
  tls: z
    .strictObject({
      ca: file().describe('File with the certificate authority, PEM. Default: those of Node.'),
      cert: file().describe('File with the client certificate, PEM (mutual TLS).'),
      key: file().describe('File with the private key of the client certificate, PEM.'),
      passphrase: secret().optional().describe('Passphrase of the private key.'),
      serverName: z.string().min(1).optional().describe('Name expected in the certificate, if not the host.'),
    })
    .optional()
    .describe('TLS of the targets with `https://` URLs. Files are read at start.'),
  connections: z
    .int()
    .min(1)
    .max(1_000)
    .default(64)
    .describe('Connections per host, and so requests of a target under way at once.'),
  connectTimeout: duration({ minMs: 100 }).prefault('5s').describe('Bound of one connection attempt.'),
  allowHosts: z
    .array(z.string().regex(/^[A-Za-z0-9.-]+(?::\d{1,5})?$/, { error: 'expected a host name or host:port' }))
    .default([])
    .describe('Hosts that a URL whose host is a template may lead to, as `host` or `host:port`. Without it: none.'),
});

const source = z.strictObject({
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]{0,255}$/, { error: 'expected a path that begins with "/"' })
    .refine((path) => !/[?#]/.test(path), { error: 'a path has no "?" and no "#"' })
    .default('/events')
    .describe('Path that takes events by POST, compared exactly. Every source of a broker has its own.'),
  ack: z
    .enum(['confirmed', 'spooled'])
    .refine((ack) => ack !== 'spooled', { error: 'not available yet: `spooled` needs the disk spool' })
    .default('confirmed')
    .describe('When a request is answered: `confirmed` once every target has the event.'),
  timeout: duration({ minMs: 1 })
    .prefault('30s')
    .describe('How long a request waits for its events to be settled; then 503 and the client sends it again.'),
  retryAfter: duration({ minMs: 1_000 }).prefault('1s').describe('What `Retry-After` says with 503, in whole seconds.'),
  maxInFlight: z.int().min(1).default(10_000).describe('Events received and not yet settled at which 503 is answered.'),
  maxBodyBytes: byteSize({ min: 1 })
    .prefault('4MiB')
    .describe('Largest body of a batch; a single event is bounded by `maxEventBytes`. Beyond it 413.'),
  maxBatch: z.int().min(1).max(100_000).default(1_000).describe('Most events of one batch; beyond it 413.'),
  webhook: z
    .strictObject({
      allowedOrigins: z
        .array(z.string().min(1))
        .min(1)
        .describe('Origins that may send, as in `WebHook-Request-Origin`; `*` allows every one.'),
      allowedRate: z
        .int()
        .min(1)
        .optional()
        .describe('Requests per minute that a sender may make, as told in `WebHook-Allowed-Rate`. Default: no bound.'),
    })
    .optional()
    .describe('Answers the OPTIONS handshake of CloudEvents web hooks. Default: 405.'),
});

const target = z.strictObject({
  url: template()
    .optional()
    .describe(
      'Where to POST: absolute, or a path under the `url` of the broker. Templates may make path segments, and the host only with `allowHosts`.',
    ),
  token: secret().optional().describe('Bearer token, instead of that of the broker.'),
  requestHeaders: z
    .record(z.string(), secret())
    .default({})
    .describe('Headers of every request, over those of the broker. Values are secrets.'),
  batched: z
    .boolean()
    .default(false)
    .describe(
      'Send several events in one request as `application/cloudevents-batch+json`; the receiver must take that.',
    ),
  webhook: z
    .strictObject({
      origin: z.string().min(1).describe('Who sends, told in `WebHook-Request-Origin`, e.g. a DNS name.'),
    })
    .optional()
    .describe('Asks for permission by the OPTIONS handshake of CloudEvents web hooks before the first event.'),
});

export const brokerSchema: z.ZodObject = broker;
export const sourceSchema: z.ZodObject = source;
export const targetSchema: z.ZodObject = target;

export type HttpBrokerConfig = z.output<typeof broker>;
export type HttpListenConfig = z.output<typeof listen>;
export type HttpSourceConfig = z.output<typeof source> & CommonSourceConfig;
export type HttpTargetConfig = z.output<typeof target> & CommonTargetConfig;
