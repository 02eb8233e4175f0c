import { type Brokers, startBrokers } from '../../../brokers/index.mjs';

/** A schema as it is registered. */
export interface Registration {
  readonly schema: unknown;
  readonly schemaType?: 'AVRO' | 'JSON' | 'PROTOBUF';
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[];
}

/** A real schema registry (Apicurio, by its Confluent-compatible API) for one file of tests, which may stop it. */
export class Registry {
  readonly url: string;
  readonly #brokers: Brokers;

  private constructor(brokers: Brokers, url: string) {
    this.#brokers = brokers;
    this.url = url;
  }

  static async start(): Promise<Registry> {
    const brokers = await startBrokers({ names: ['registry'] });
    return new Registry(brokers, brokers.env.FAIRLEAD_TEST_REGISTRY_URL as string);
  }

  /** Registers the first version of a subject; gives its id. */
  async register(subject: string, { schema, ...rest }: Registration): Promise<number> {
    const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
    const response = await fetch(`${this.url}/subjects/${encodeURIComponent(subject)}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ ...rest, schema: text }),
    });
    const answer = (await response.json()) as { id?: number };
    if (answer.id === undefined) throw new Error(`not registered: ${JSON.stringify(answer)}`);
    return answer.id;
  }

  down(): Promise<void> {
    return this.#brokers.stopOne('registry');
  }

  up(): Promise<void> {
    return this.#brokers.startOne('registry');
  }

  stop(): Promise<void> {
    return this.#brokers.stop();
  }
}

/** A payload in Confluent's wire format. */
export function framed(id: number, payload: Buffer | string): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeInt32BE(id, 1);
  return Buffer.concat([prefix, Buffer.from(payload)]);
}
