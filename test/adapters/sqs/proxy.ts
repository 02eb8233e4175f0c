import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brokerUrl } from '../../setup/brokers.ts';

/** What the proxy does with one request: answer itself, drop the connection, never answer, or (undefined) pass it on. */
export type Verdict = { status: number; body: unknown; type?: string } | 'reset' | 'hang' | undefined;

// biome-ignore lint/suspicious/noExplicitAny: bodies of every SQS action, as JSON
type Body = any;

/** An HTTP proxy before the real broker that fails chosen requests, or entries of them. */
export class SqsProxy {
  readonly requests: { action: string; body: Body }[] = [];
  /** Decides before the broker sees the request; it may change the body that goes on. */
  before: (action: string, body: Body) => Verdict = () => undefined;
  /** Changes the broker's answer. */
  after: (action: string, answer: Body, body: Body) => Body = (_, answer) => answer;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<SqsProxy> {
    const proxy = new SqsProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  count(action: string): number {
    return this.requests.filter((request) => request.action === action).length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const action = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const body: Body = JSON.parse(Buffer.concat(chunks).toString());
    this.requests.push({ action, body });
    const verdict = this.before(action, body);
    if (verdict === 'hang') return;
    if (verdict === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (verdict !== undefined) {
      if (verdict.type !== undefined) response.setHeader('x-amzn-errortype', verdict.type);
      response.writeHead(verdict.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(verdict.body));
      return;
    }
    await this.#pass(action, body, request, response);
  }

  async #pass(action: string, body: Body, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host, connection, 'content-length': length, ...headers } = request.headers;
    const abort = new AbortController();
    response.on('close', () => abort.abort());
    try {
      const answer = await fetch(brokerUrl('SQS'), {
        method: 'POST',
        headers: headers as Record<string, string>,
        body: JSON.stringify(body),
        signal: abort.signal,
      });
      const json = answer.ok ? this.after(action, await answer.json(), body) : await answer.json();
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(json));
    } catch (error) {
      if (!abort.signal.aborted) response.destroy(error as Error);
    }
  }
}

/** An error of the whole call, as SQS's JSON protocol has it. */
export function callError(status: number, type: string): Verdict {
  return { status, body: { __type: `com.amazonaws.sqs#${type}`, message: 'injected' }, type };
}
