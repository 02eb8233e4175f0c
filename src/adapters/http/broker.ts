import type { AdapterContext, BrokerHandle } from '../spec.ts';
import { HttpClient } from './client.ts';
import type { HttpBrokerConfig } from './config.ts';
import { type HttpAddress, HttpListener } from './listener.ts';

/** One `type: http` broker: a server for its sources, connections for its targets; either is made when first needed. */
export class HttpBroker implements BrokerHandle {
  readonly config: HttpBrokerConfig;
  readonly listener: HttpListener;
  #client: HttpClient | undefined;

  constructor(config: HttpBrokerConfig, context: AdapterContext) {
    this.config = config;
    this.listener = new HttpListener(config.listen, context);
  }

  /** Where its sources listen; undefined while none is open. */
  address(): HttpAddress | undefined {
    return this.listener.address();
  }

  /** Throws `E_HTTP_TLS_FILE`. */
  client(): HttpClient {
    this.#client ??= new HttpClient(this.config);
    return this.#client;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await Promise.all([this.listener.close(), client?.close()]);
  }
}
