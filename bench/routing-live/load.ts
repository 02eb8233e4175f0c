import { Agent } from 'undici';
import { encodeHttp } from '../../src/cloudevents/http.ts';
import type { MeshEvent } from '../../src/core/event.ts';

/**
 * Posts events one by one, each on a connection of its own while it waits: an event that is held up holds up no other.
 * The gateway answers 202 when the target has confirmed.
 */
export class Client {
  readonly #agent: Agent = new Agent({ pipelining: 1, keepAliveTimeout: 60_000, headersTimeout: 60_000 });
  readonly #origin: string;

  constructor(port: number) {
    this.#origin = `http://127.0.0.1:${port}`;
  }

  /** True when the gateway has taken it; false for any other answer, and none. */
  async post(event: MeshEvent): Promise<boolean> {
    const { headers, body } = encodeHttp(event, 'binary');
    try {
      const answer = await this.#agent.request({
        origin: this.#origin,
        path: '/events',
        method: 'POST',
        headers,
        body: body ?? null,
      });
      await answer.body.dump();
      return answer.statusCode === 202;
    } catch {
      return false; // refused or reset: the event is not taken, which is what is counted
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
