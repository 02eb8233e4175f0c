import { readFile } from 'node:fs/promises';
import type { SASLOptions } from 'kafkajs';
import { type Clock, systemClock } from '../../core/clock.ts';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { KafkaSaslConfig } from './config-sasl.ts';

type TokenEndpoint = NonNullable<Extract<KafkaSaslConfig, { mechanism: 'oauthbearer' }>['tokenEndpoint']>;

/** kafkajs' options. It asks for a token at every (re-)authentication, so a renewed file or token is picked up. */
export function saslOptions(config: KafkaSaslConfig, clock: Clock = systemClock): SASLOptions {
  if (config.mechanism !== 'oauthbearer') {
    return { mechanism: config.mechanism, username: config.username, password: config.password } as SASLOptions;
  }
  const { tokenFile, tokenEndpoint } = config;
  const token =
    tokenEndpoint === undefined ? () => readToken(tokenFile as string) : clientCredentials(tokenEndpoint, clock);
  return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token() }) };
}

async function readToken(path: string): Promise<string> {
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (token !== '') return token;
  } catch (error) {
    throw failure(`token file cannot be read: ${messageOf(error)}`, error);
  }
  throw failure('token file is empty');
}

/** Renewed this long before it expires, at most a tenth of its lifetime. */
const EARLY_MS = 30_000;

/** Client-credentials grant (RFC 6749 §4.4) with the secret in the body; one request at a time, shared by connections. */
function clientCredentials(endpoint: TokenEndpoint, clock: Clock): () => Promise<string> {
  let token: string | undefined;
  let expiresAt = 0;
  let pending: Promise<string> | undefined;
  const renew = async (): Promise<string> => {
    const answer = await request(endpoint);
    token = answer.token;
    expiresAt = clock.now() + answer.lifetimeMs - Math.min(EARLY_MS, answer.lifetimeMs / 10);
    return answer.token;
  };
  return () => {
    if (token !== undefined && clock.now() < expiresAt) return Promise.resolve(token);
    pending ??= renew().finally(() => {
      pending = undefined;
    });
    return pending;
  };
}

async function request(endpoint: TokenEndpoint): Promise<{ token: string; lifetimeMs: number }> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: endpoint.clientId,
    client_secret: endpoint.clientSecret,
  });
  if (endpoint.scope !== undefined) form.set('scope', endpoint.scope);
  let response: Response;
  let body: { access_token?: unknown; expires_in?: unknown };
  try {
    response = await fetch(endpoint.url, {
      method: 'POST',
      body: form,
      redirect: 'error',
      signal: AbortSignal.timeout(endpoint.timeout),
    });
    if (!response.ok) throw failure(`token endpoint answered ${response.status}`);
    body = (await response.json()) as typeof body;
  } catch (error) {
    if (error instanceof FairleadError) throw error;
    throw failure(`token endpoint: ${messageOf(error)}`, error);
  }
  if (typeof body.access_token !== 'string') throw failure('token endpoint answered without access_token');
  const seconds = typeof body.expires_in === 'number' ? body.expires_in : 60;
  return { token: body.access_token, lifetimeMs: seconds * 1_000 };
}

/** Unavailable, not refused: a token may be there on the next attempt. */
function failure(message: string, cause?: unknown): FairleadError {
  return new FairleadError({ code: 'E_KAFKA_TOKEN', message, unavailable: true, cause });
}
