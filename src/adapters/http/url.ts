import { canonical } from '../../cloudevents/attributes.ts';
import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import { compileTemplate, type Template } from '../../core/template.ts';

/** Where a request goes, as undici takes it: `origin` without a path, `path` with its query. */
export interface Address {
  readonly origin: string;
  readonly path: string;
}

/** A compiled target URL. */
export interface TargetUrl {
  /** The address of every event, where no template stands in the URL. */
  readonly literal: Address | undefined;
  /** The origin, where no template stands in the host. */
  readonly origin: string | undefined;
  /** The address for an event. Throws `E_HTTP_URL`, `E_HTTP_HOST_NOT_ALLOWED`: final, the event is dead-lettered. */
  address(event: MeshEvent): Address;
}

const SHAPE = /^(https?):\/\/([^/?#]+)([^?#]*)(\?[^#]*)?$/;
/** What a template may bring into a path segment or a host: RFC 3986 unreserved, at most 128 characters. */
const SEGMENT = /^[A-Za-z0-9._~-]{1,128}$/;
const HOST = /^[A-Za-z0-9.-]{1,128}$/;

/**
 * Compiles `url` under `base`. Throws `E_HTTP_URL` for what can never be an address: another scheme, credentials, a fragment,
 * a template in the query, a template in the host without `allowHosts`.
 */
export function compileUrl(
  url: string | undefined,
  base: string | undefined,
  allowHosts: readonly string[] = [],
): TargetUrl {
  const text = join(url, base);
  const [, scheme = '', authority = '', path = '', query = ''] = SHAPE.exec(text) ?? [];
  if (scheme === '') throw invalid('is not an http:// or https:// URL without a fragment');
  if (authority.includes('@')) throw invalid('has credentials in it: use "token" or "requestHeaders"');
  const host = compileTemplate(authority);
  const route = compileTemplate(path);
  const search = compileTemplate(query);
  if (search.names.length > 0) throw invalid('has a template in its query: only path segments may');
  if (host.names.length > 0 && allowHosts.length === 0) {
    throw invalid('has a template in its host: list the hosts it may lead to in "allowHosts"');
  }
  const parse = (renderedHost: string, renderedPath: string): Address => {
    const whole = `${scheme}://${renderedHost}${renderedPath}${search.render(() => undefined) ?? ''}`;
    if (!URL.canParse(whole)) throw invalid('cannot be parsed');
    const parsed = new URL(whole);
    return { origin: parsed.origin, path: parsed.pathname + parsed.search };
  };
  const origin = host.names.length > 0 ? undefined : parse(authority, '/').origin;
  const literal = origin === undefined || route.names.length > 0 ? undefined : parse(authority, path);
  parse(host.names.length > 0 ? 'host' : authority, literal === undefined ? '/x' : path);
  const allowed = new Set(allowHosts.map((name) => name.toLowerCase()));
  return {
    literal,
    origin,
    address(event) {
      if (literal !== undefined) return literal;
      const renderedHost = origin === undefined ? render(host, event, HOST, 'host') : authority;
      if (origin === undefined && !allowed.has(renderedHost.toLowerCase())) throw notAllowed();
      return parse(renderedHost, render(route, event, SEGMENT, 'path'));
    },
  };
}

function join(url: string | undefined, base: string | undefined): string {
  if (url === undefined && base === undefined) throw invalid('is missing: give "url" to the target or to its broker');
  if (url === undefined) return base as string;
  if (!url.startsWith('/')) return url;
  if (base === undefined) throw invalid('is a path, and its broker has no "url" to put it under');
  return base.replace(/\/+$/, '') + url;
}

function render(template: Template, event: MeshEvent, allowed: RegExp, what: string): string {
  const text = template.render((name) => {
    const value = event.attribute(name);
    if (value === undefined) return undefined;
    const given = canonical(value);
    if (allowed.test(given) && given !== '.' && given !== '..') return given;
    throw invalid(`cannot be made: attribute "${name}" has characters that its ${what} must not have`);
  });
  if (text !== undefined) return text;
  const missing = template.names.filter((name) => event.attribute(name) === undefined);
  throw invalid(`cannot be made: the event has no ${missing.join(', ')}`);
}

function invalid(what: string): FairleadError {
  return new FairleadError({ code: 'E_HTTP_URL', message: `the url ${what}` });
}

function notAllowed(): FairleadError {
  return new FairleadError({
    code: 'E_HTTP_HOST_NOT_ALLOWED',
    message: 'the url leads to a host that is not in "allowHosts"',
  });
}
