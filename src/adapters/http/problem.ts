import { type ServerResponse, STATUS_CODES } from 'node:http';

/** A refusal as the client reads it (RFC 9457). Nothing of the request's payload or credentials stands in it. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** Further response headers, flat: name, value, … */
  readonly headers?: readonly string[] | undefined;
  /** The connection ends with the response: the rest of the request is not going to be read. */
  readonly close?: boolean | undefined;
}

/** The refusal as bytes for `application/problem+json`. */
export function problemBody({ status, code, detail }: Problem): Buffer {
  const title = STATUS_CODES[status] ?? 'Error';
  return Buffer.from(JSON.stringify({ type: 'about:blank', title, status, code, detail }));
}

export function sendProblem(response: ServerResponse, problem: Problem): void {
  const body = problemBody(problem);
  const headers = ['content-type', 'application/problem+json', 'content-length', String(body.length)];
  if (problem.headers !== undefined) headers.push(...problem.headers);
  if (problem.close === true) headers.push('connection', 'close');
  response.writeHead(problem.status, headers);
  response.end(body);
}

/** The same for a socket whose request could not be parsed. */
export function problemText(problem: Problem): string {
  const body = problemBody(problem);
  const title = STATUS_CODES[problem.status] ?? 'Error';
  return `HTTP/1.1 ${problem.status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
}

/** Come again: `Retry-After` in whole seconds (RFC 9110 §10.2.3), at least one. */
export function later(code: string, detail: string, retryAfterMs: number, close = false): Problem {
  const seconds = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  return { status: 503, code, detail, headers: ['retry-after', seconds], close };
}
