import { Agent } from 'undici';
import { z } from 'zod';
import { FairleadError } from '../../../core/errors.ts';
import { boundedGet } from '../../../fetch/bounded-get.ts';
import type { SchemaRegistryConfig } from './config.ts';
import type { SchemaKey } from './frame.ts';

const MAX_BYTES = 4 * 2 ** 20;
const CONNECTIONS = 4;
const ACCEPT = 'application/vnd.schemaregistry.v1+json, application/json';

/** Error codes of the registry for what it does not know: a subject, a version, a schema. */
const UNKNOWN = new Set([40401, 40402, 40403]);

const registered = z.object({
  schema: z.string(),
  schemaType: z.string().default('AVRO'),
  references: z
    .array(z.object({ name: z.string(), subject: z.string(), version: z.int() }))
    .nullish()
    .transform((references) => references ?? []),
});

/** A schema as the registry has it. */
export type RegisteredSchema = z.output<typeof registered>;

/** The two requests of the Confluent Schema Registry API that reading needs. */
export class RegistryClient {
  readonly #base: string;
  readonly #config: SchemaRegistryConfig;
  readonly #agent = new Agent({ connections: CONNECTIONS });

  constructor(config: SchemaRegistryConfig) {
    this.#config = config;
    this.#base = config.url.replace(/\/+$/, '');
  }

  /** The address of a schema: what `dataschema` says. */
  address(key: SchemaKey): string {
    return `${this.#base}/schemas/${typeof key === 'number' ? 'ids' : 'guids'}/${key}`;
  }

  /**
   * Rejects with `E_KAFKA_REGISTRY_UNKNOWN` (not there, perhaps yet) and, unavailable, with `E_KAFKA_REGISTRY_AUTH`,
   * `E_KAFKA_REGISTRY_UNAVAILABLE` and what {@link boundedGet} throws.
   */
  schema(key: SchemaKey, signal: AbortSignal): Promise<RegisteredSchema> {
    return this.#get(this.address(key), signal);
  }

  /** A schema that another refers to. Rejects as {@link schema}. */
  version(subject: string, version: number, signal: AbortSignal): Promise<RegisteredSchema> {
    return this.#get(`${this.#base}/subjects/${encodeURIComponent(subject)}/versions/${version}`, signal);
  }

  /** Asks for something that every registry has. Rejects as {@link schema}. */
  async probe(signal: AbortSignal): Promise<void> {
    await this.#request(`${this.#base}/schemas/types`, signal);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #get(address: string, signal: AbortSignal): Promise<RegisteredSchema> {
    const parsed = registered.safeParse(await this.#request(address, signal));
    if (parsed.success) return parsed.data;
    throw unavailable('answered with something else than a schema: is the URL that of a registry?');
  }

  async #request(address: string, signal: AbortSignal): Promise<unknown> {
    const { status, body } = await boundedGet(address, {
      timeoutMs: this.#config.timeout,
      maxBytes: MAX_BYTES,
      headers: { accept: ACCEPT, ...authorization(this.#config.auth) },
      dispatcher: this.#agent,
      signal,
    });
    const answer = json(body);
    if (status === 200) return answer;
    if (status === 401 || status === 403) {
      const message = `the schema registry answered ${status}: the credentials are not accepted`;
      throw new FairleadError({ code: 'E_KAFKA_REGISTRY_AUTH', message, unavailable: true });
    }
    const code = (answer as { error_code?: unknown } | undefined)?.error_code;
    if (status === 404 && UNKNOWN.has(code as number)) {
      const message = `the schema registry does not know ${address.slice(this.#base.length)}`;
      throw new FairleadError({ code: 'E_KAFKA_REGISTRY_UNKNOWN', message, retryable: true });
    }
    throw unavailable(
      status === 404 ? 'answered 404 in no words of a registry: is the URL right?' : `answered ${status}`,
    );
  }
}

function authorization(auth: SchemaRegistryConfig['auth']): Record<string, string> {
  if (auth === undefined) return {};
  if ('token' in auth) return { authorization: `Bearer ${auth.token}` };
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // the caller judges by the status
  }
}

function unavailable(what: string): FairleadError {
  const message = `the schema registry ${what}`;
  return new FairleadError({ code: 'E_KAFKA_REGISTRY_UNAVAILABLE', message, unavailable: true });
}
