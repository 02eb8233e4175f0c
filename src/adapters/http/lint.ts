import { FairleadError } from '../../core/errors.ts';
import type { LintEntry, LintFinding } from '../spec.ts';
import type { HttpBrokerConfig, HttpSourceConfig, HttpTargetConfig } from './config.ts';
import { isExposed, isLoopback } from './exposure.ts';
import { requestHeaders } from './request-headers.ts';
import { compileUrl } from './url.ts';

export function lint({ kind, config, broker }: LintEntry): readonly LintFinding[] {
  const own = broker as unknown as HttpBrokerConfig;
  if (kind === 'broker') return lintBroker(config as unknown as HttpBrokerConfig);
  if (kind === 'source') return lintSource(config as unknown as HttpSourceConfig, own);
  return lintTarget(config as unknown as HttpTargetConfig, own);
}

function lintBroker({ listen }: HttpBrokerConfig): readonly LintFinding[] {
  if (isExposed(listen)) {
    const message = 'others can reach this address: give "token" or "tls.clientCa", or bind 127.0.0.1';
    return [{ severity: 'error', code: 'E_HTTP_NO_TOKEN', path: ['listen', 'host'], message }];
  }
  if (isLoopback(listen.host) || listen.tls !== undefined) return [];
  const message = 'the token and the events travel unencrypted: give "tls", or let a proxy on this host end TLS';
  return [{ severity: 'warning', code: 'W_HTTP_PLAIN', path: ['listen', 'host'], message }];
}

function lintSource(
  { maxEventBytes, maxBodyBytes }: HttpSourceConfig,
  _broker: HttpBrokerConfig,
): readonly LintFinding[] {
  if (maxBodyBytes >= maxEventBytes) return [];
  const message = 'a batch may have fewer bytes than one event ("maxEventBytes")';
  return [{ severity: 'warning', code: 'W_HTTP_BODY_BYTES', path: ['maxBodyBytes'], message }];
}

function lintTarget(config: HttpTargetConfig, broker: HttpBrokerConfig): readonly LintFinding[] {
  const findings: LintFinding[] = [];
  const attempt = (path: readonly string[], check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof FairleadError)) throw error;
      findings.push({ severity: 'error', code: error.code, path, message: error.message });
    }
  };
  attempt(['url'], () => {
    const url = compileUrl(config.url, broker.url, broker.allowHosts);
    const host = url.origin === undefined ? undefined : new URL(url.origin);
    if (host?.protocol === 'http:' && !isLoopback(host.hostname) && hasSecrets(config, broker)) {
      const message = 'credentials travel unencrypted: use https://';
      findings.push({ severity: 'warning', code: 'W_HTTP_PLAIN', path: ['url'], message });
    }
    if (config.batched && url.literal === undefined) {
      const message = '"batched" needs one URL for all events: no template in "url"';
      findings.push({ severity: 'error', code: 'E_HTTP_BATCHED', path: ['batched'], message });
    }
  });
  attempt(['requestHeaders'], () => requestHeaders(broker, config));
  if (config.batched && (config.encoding === 'raw' || config.encoding === 'binary')) {
    const message = `a batch is JSON and cannot be "encoding: ${config.encoding}"`;
    findings.push({ severity: 'error', code: 'E_HTTP_BATCHED', path: ['batched'], message });
  }
  return findings;
}

function hasSecrets(config: HttpTargetConfig, broker: HttpBrokerConfig): boolean {
  const headers = [...Object.keys(config.requestHeaders), ...Object.keys(broker.requestHeaders)];
  return (config.token ?? broker.token) !== undefined || headers.length > 0;
}
