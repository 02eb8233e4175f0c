import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContextOptions } from 'node:tls';
import type { Options } from 'amqplib';
import type { RabbitBrokerConfig } from './config.ts';
import type { Identity } from './refusal.ts';

/** Where and as whom to connect, from the URL. */
export interface Endpoint extends Identity {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** As amqplib takes it: with the virtual host still percent-encoded, which it decodes itself. */
  readonly options: Options.Connect;
}

export type TlsOptions = SecureContextOptions & { servername?: string };

/** AMQP URI specification: percent-encoded user, password and virtual host; no path means the virtual host `/`. */
export function endpointOf({ url, heartbeat }: Pick<RabbitBrokerConfig, 'url' | 'heartbeat'>): Endpoint {
  const parts = new URL(url);
  const tls = parts.protocol === 'amqps:';
  const host = parts.hostname.replace(/^\[|\]$/g, '');
  const port = parts.port === '' ? (tls ? 5671 : 5672) : Number(parts.port);
  const path = parts.pathname.slice(1);
  const anonymous = parts.username === '' && parts.password === '';
  const username = anonymous ? 'guest' : decodeURIComponent(parts.username);
  const password = anonymous ? 'guest' : decodeURIComponent(parts.password);
  return {
    tls,
    host,
    port,
    username,
    password,
    vhost: path === '' ? '/' : decodeURIComponent(path),
    options: {
      protocol: tls ? 'amqps' : 'amqp',
      hostname: host,
      port,
      username,
      password,
      vhost: path,
      heartbeat: Math.max(1, Math.round(heartbeat / 1_000)),
    },
  };
}

/** Reads the TLS files; at every connect, so that renewed certificates are taken up. */
export async function readTls(config: RabbitBrokerConfig['tls']): Promise<TlsOptions> {
  if (config === undefined) return {};
  const options: TlsOptions = {};
  if (config.ca !== undefined) options.ca = await readFile(config.ca);
  if (config.cert !== undefined) options.cert = await readFile(config.cert);
  if (config.key !== undefined) options.key = await readFile(config.key);
  if (config.passphrase !== undefined) options.passphrase = config.passphrase;
  if (config.servername !== undefined) options.servername = config.servername;
  return options;
}

/** A bare socket to the endpoint, for asking the broker why it refused. */
export function socketTo({ tls, host, port }: Endpoint, options: TlsOptions): Socket {
  if (!tls) return connectTcp({ host, port });
  return connectTls({ ...(isIP(host) === 0 ? { servername: host } : {}), ...options, host, port });
}
