import type { ServerResponse } from 'node:http';
import { sendProblem } from './problem.ts';

export interface WebhookPermission {
  readonly allowedOrigins: readonly string[];
  readonly allowedRate?: number | undefined;
}

/** Answers the validation request of CloudEvents web hooks (HTTP 1.1 Web Hooks for Event Delivery 1.0.2 §4). */
export function answerHandshake(
  origin: string | readonly string[] | undefined,
  permission: WebhookPermission,
  response: ServerResponse,
): void {
  if (typeof origin !== 'string' || origin === '') {
    const detail = 'the validation request has no WebHook-Request-Origin';
    sendProblem(response, { status: 400, code: 'E_HTTP_ORIGIN', detail });
    return;
  }
  const { allowedOrigins, allowedRate } = permission;
  const any = allowedOrigins.includes('*');
  if (!any && !allowedOrigins.includes(origin)) {
    const detail = 'this origin may not send here: it is not among "allowedOrigins"';
    sendProblem(response, { status: 403, code: 'E_HTTP_ORIGIN', detail });
    return;
  }
  const rate = allowedRate === undefined ? '*' : String(allowedRate);
  response.writeHead(200, [
    'allow',
    'POST, OPTIONS',
    'webhook-allowed-origin',
    any ? '*' : origin,
    'webhook-allowed-rate',
    rate,
    'content-length',
    '0',
  ]);
  response.end();
}
