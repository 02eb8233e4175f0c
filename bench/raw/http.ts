import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { RawBatch, RawEnd, RawEvent, RawSource } from './types.ts';

const ATTRIBUTE = /^ce-/;

/** Answers 202 when the far broker has confirmed. The bare server of Node: what a framework adds is not counted. */
export async function httpSource(end: RawEnd, onBatch: (batch: RawBatch) => void): Promise<RawSource> {
  let arrived: RawEvent[] = [];
  let responses: ServerResponse[] = [];
  const handOver = (): void => {
    const events = arrived;
    const answers = responses;
    arrived = [];
    responses = [];
    onBatch({
      events,
      confirmed(index) {
        answers[index]?.writeHead(202, { 'content-length': 0 }).end();
      },
    });
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      responses.push(response);
      const payload = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      if (arrived.push(eventOf(request, payload)) === 1) setImmediate(handOver);
    });
  });
  const { port } = end.broker['listen'] as { port: number };
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function eventOf({ headers }: IncomingMessage, payload: Buffer): RawEvent {
  const own: Record<string, string> = {};
  for (const name of Object.keys(headers)) if (ATTRIBUTE.test(name)) own[name] = headers[name] as string;
  return { payload, headers: own, contentType: headers['content-type'], key: own['ce-partitionkey'] };
}
