import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { decodeHttp, encodeHttp } from '../../../src/cloudevents/http.ts';
import type { Place } from './place.ts';

const CONNECTIONS = 32;

/**
 * As a source, the gateway listens on `port` and `produce` posts to it; as a target, the gateway posts to a server of the
 * place, which answers 202.
 */
export async function httpPlace(port: number): Promise<Place> {
  const agent = new Agent({ connections: CONNECTIONS });
  let receive: Parameters<Place['read']>[0] = () => undefined;
  const server: Server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      for (const event of decodeHttp(incoming.rawHeaders, Buffer.concat(chunks)).events) receive(event);
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  return {
    kind: 'http',
    broker: { type: 'http', listen: { port } },
    source: { path: '/events' },
    target: { url: own },
    async produce(events, mode) {
      let next = 0;
      const post = async (): Promise<void> => {
        while (next < events.length) {
          const event = events[next] as (typeof events)[number];
          next += 1;
          await postUntilTaken(agent, `http://127.0.0.1:${port}/events`, encodeHttp(event, mode));
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, post));
    },
    async read(onEvent) {
      receive = onEvent;
    },
    async close() {
      await agent.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The client of an HTTP source owns the retry: 503 means later. */
async function postUntilTaken(agent: Agent, url: string, encoded: ReturnType<typeof encodeHttp>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      method: 'POST',
      headers: encoded.headers,
      body: encoded.body ?? null,
    });
    const text = await body.text();
    if (statusCode < 300) return;
    if (statusCode !== 503 || attempt > 200) throw new Error(`${statusCode} ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
