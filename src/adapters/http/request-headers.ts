import { FairleadError } from '../../core/errors.ts';
import type { HttpBrokerConfig, HttpTargetConfig } from './config.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const VALUE = /^[\x20-\x7e\t]*$/;
/** What the binding, undici or the connection itself decide. */
const RESERVED = /^(?:ce-.*|content-.*|connection|host|keep-alive|te|trailer|transfer-encoding|upgrade|expect)$/;

/** The headers of every request of a target: those of its broker, then its own. Throws `E_HTTP_HEADER`, naming the header only. */
export function requestHeaders(
  broker: Pick<HttpBrokerConfig, 'token' | 'requestHeaders'>,
  target: Pick<HttpTargetConfig, 'token' | 'requestHeaders'>,
): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'fairlead' };
  const token = target.token ?? broker.token;
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  for (const [name, value] of [...Object.entries(broker.requestHeaders), ...Object.entries(target.requestHeaders)]) {
    if (!NAME.test(name)) throw invalid(name, 'is not a header name');
    if (RESERVED.test(name.toLowerCase())) throw invalid(name, 'is written by the binding or the connection itself');
    if (!VALUE.test(value)) throw invalid(name, 'has a value that cannot stand in a header');
    headers[name.toLowerCase()] = value;
  }
  if (!VALUE.test(headers['authorization'] ?? '')) throw invalid('authorization', 'cannot be made of this token');
  return headers;
}

function invalid(name: string, what: string): FairleadError {
  return new FairleadError({ code: 'E_HTTP_HEADER', message: `header ${JSON.stringify(name.slice(0, 60))} ${what}` });
}
