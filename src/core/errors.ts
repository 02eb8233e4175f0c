/** Whether the request that failed may have reached the other side. */
export type Sent = 'no' | 'unknown' | 'yes';

/** What a component does about a failure follows from these fields, never from the message text. */
export interface FailureInit {
  /** Stable upper-case code, documented in docs/reference/errors.md. */
  code: string;
  message: string;
  /** True where the same attempt may succeed later. */
  retryable?: boolean;
  /** True where the peer cannot be reached at all: the lane pauses and no attempt is consumed. */
  unavailable?: boolean;
  retryAfterMs?: number;
  sent?: Sent;
  cause?: unknown;
}

/** An error that is an instruction: coded, with what may be done about it. */
export class FairleadError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly unavailable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly sent: Sent;

  constructor(init: FailureInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'FairleadError';
    this.code = init.code;
    this.retryable = init.retryable ?? false;
    this.unavailable = init.unavailable ?? false;
    this.retryAfterMs = init.retryAfterMs;
    this.sent = init.sent ?? 'no';
  }
}

/** The message of anything thrown, for logs and health. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}

/** The `code` of a Node or client error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' || typeof code === 'number' ? String(code) : undefined;
}
