import { codeOf, FairleadError, messageOf, type Sent } from '../../core/errors.ts';
import type { SendResult } from '../../core/target.ts';

/** What a code of SQS, of the SDK or of Node means for us. */
interface Meaning {
  readonly code: string;
  readonly retryable?: boolean;
  readonly unavailable?: boolean;
  readonly sent?: Sent;
}

// Missing queues and refused credentials are cured by an operator, not by a restart: the component stays down, says so in
// its health and goes on asking. No event is dead-lettered for them.
const MISSING: Meaning = { code: 'E_SQS_QUEUE_MISSING', unavailable: true };
const DENIED: Meaning = { code: 'E_SQS_ACCESS_DENIED', unavailable: true };
const CREDENTIALS: Meaning = { code: 'E_SQS_CREDENTIALS', unavailable: true };
const KMS: Meaning = { code: 'E_SQS_KMS', unavailable: true };
const THROTTLED: Meaning = { code: 'E_SQS_THROTTLED', retryable: true };
const EXPIRED: Meaning = { code: 'E_SQS_HANDLE_EXPIRED' };
const TOO_LARGE: Meaning = { code: 'E_SQS_TOO_LARGE' };
const REFUSED: Meaning = { code: 'E_SQS_REFUSED' };
const UNREACHABLE: Meaning = { code: 'E_SQS_UNREACHABLE', unavailable: true };
const LOST: Meaning = { code: 'E_SQS_CONNECTION_LOST', retryable: true, sent: 'unknown' };
const TIMEOUT: Meaning = { code: 'E_SQS_TIMEOUT', retryable: true, sent: 'unknown' };
const SERVICE: Meaning = { code: 'E_SQS_SERVICE', retryable: true, sent: 'unknown' };

/** By error name (SDK classes, JSON protocol), per-entry `Code`, or Node's `code`; without the `AWS.SimpleQueueService.` prefix. */
const MEANINGS: Readonly<Record<string, Meaning>> = Object.assign(Object.create(null), {
  QueueDoesNotExist: MISSING,
  NonExistentQueue: MISSING,
  QueueDeletedRecently: MISSING,
  ResourceNotFoundException: MISSING,
  InvalidAddress: MISSING,
  AccessDenied: DENIED,
  AccessDeniedException: DENIED,
  InvalidSecurity: DENIED,
  AuthFailure: CREDENTIALS,
  CredentialsProviderError: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  InvalidAccessKeyId: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  MissingAuthenticationToken: CREDENTIALS,
  OptInRequired: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  TokenProviderError: CREDENTIALS,
  UnrecognizedClientException: CREDENTIALS,
  KmsAccessDenied: KMS,
  KmsDisabled: KMS,
  KmsInvalidKeyUsage: KMS,
  KmsInvalidState: KMS,
  KmsNotFound: KMS,
  KmsOptInRequired: KMS,
  KmsThrottled: THROTTLED,
  OverLimit: THROTTLED,
  RequestThrottled: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  SlowDown: THROTTLED,
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  ThrottledException: THROTTLED,
  TooManyRequestsException: THROTTLED,
  MessageNotInflight: EXPIRED,
  ReceiptHandleIsInvalid: EXPIRED,
  BatchRequestTooLong: TOO_LARGE,
  InvalidMessageContents: REFUSED,
  InvalidParameterValue: REFUSED,
  InvalidParameterValueException: REFUSED,
  MissingParameter: REFUSED,
  InvalidAttributeName: REFUSED,
  InvalidAttributeValue: REFUSED,
  UnsupportedOperation: REFUSED,
  InternalError: SERVICE,
  InternalFailure: SERVICE,
  InternalServerError: SERVICE,
  ServiceUnavailable: SERVICE,
  ECONNREFUSED: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  ECONNRESET: LOST,
  EPIPE: LOST,
  ERR_STREAM_PREMATURE_CLOSE: LOST,
  ETIMEDOUT: TIMEOUT,
  TimeoutError: TIMEOUT,
  AbortError: TIMEOUT,
});

const PREFIX = 'AWS.SimpleQueueService.';

function meaningOf(code: string | undefined): Meaning | undefined {
  if (code === undefined) return undefined;
  return MEANINGS[code.startsWith(PREFIX) ? code.slice(PREFIX.length) : code];
}

function make(meaning: Meaning, detail: string, cause?: unknown): FairleadError {
  return new FairleadError({ ...meaning, message: detail, ...(cause === undefined ? {} : { cause }) });
}

/** By HTTP status where no code is known. Only what blames the request itself is final: all else may heal. */
const STATUS: Readonly<Record<number, Meaning>> = {
  400: REFUSED,
  401: DENIED,
  403: DENIED,
  404: MISSING,
  413: TOO_LARGE,
  429: THROTTLED,
};

/**
 * What a failed call means: where it failed before a connection stood nothing was sent; else Node's or SQS's code, the
 * error's class name, the HTTP status.
 */
export function fromCall(error: unknown, what: string): FairleadError {
  if (error instanceof FairleadError) return error;
  const name = error instanceof Error ? error.name : undefined;
  const message = `${what}: ${name === undefined || name === 'Error' ? '' : `${name}: `}${messageOf(error)}`;
  if (neverConnected(error)) return make(UNREACHABLE, message, error);
  const known = meaningOf(codeOf(error)) ?? meaningOf(name);
  return make(known ?? STATUS[statusOf(error) ?? 0] ?? SERVICE, message, error);
}

/** What the failure of one entry of a batch call means; the code decides, else whose fault SQS says it is. */
export function fromEntry(entry: { Code?: string | undefined; SenderFault?: boolean | undefined }): FairleadError {
  const code = entry.Code ?? 'without a code';
  const meaning = meaningOf(entry.Code) ?? (entry.SenderFault === true ? REFUSED : SERVICE);
  // SQS answered for this entry, so its outcome is known even where the same code on a whole call would leave it open
  return make({ ...meaning, sent: 'no' }, `SQS refused the entry: ${code}`);
}

/** A send that SQS's answer does not mention. */
export const UNANSWERED: SendResult = Object.freeze({
  status: 'unknown',
  code: 'E_SQS_UNANSWERED',
  message: 'SQS answered the batch without a result for this entry',
  retryable: true,
});

/** Not sent, because an earlier event of its key failed in the same send. */
export const HELD: SendResult = Object.freeze({
  status: 'failed',
  code: 'E_SQS_HELD',
  message: 'not sent: an earlier event of its key failed',
  retryable: true,
});

/** The lane's timeout came before this one's turn. */
export const NOT_SENT: SendResult = Object.freeze({
  status: 'failed',
  code: 'E_SQS_TIMEOUT',
  message: 'not sent: the time for the batch was over',
  retryable: true,
});

export const CLOSED: SendResult = Object.freeze({
  status: 'failed',
  code: 'E_SQS_CLOSED',
  message: 'the target is closed',
  retryable: true,
  unavailable: true,
});

/**
 * Several addresses tried in vain, a failed `connect`, or the SDK's connection timeout: its TimeoutError without a code,
 * where a request timeout has ETIMEDOUT and a reset ECONNRESET (@smithy/node-http-handler).
 */
function neverConnected(error: unknown): boolean {
  if (error instanceof AggregateError) return true;
  if (!(error instanceof Error)) return false;
  if ((error as { syscall?: unknown }).syscall === 'connect') return true;
  return error.name === 'TimeoutError' && codeOf(error) === undefined;
}

function statusOf(error: unknown): number | undefined {
  const status = (error as { $metadata?: { httpStatusCode?: unknown } } | null | undefined)?.$metadata?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}
