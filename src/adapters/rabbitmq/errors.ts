import { IllegalOperationError } from 'amqplib';
import { codeOf, type FailureInit, FairleadError, messageOf } from '../../core/errors.ts';

type Meaning = Pick<FailureInit, 'code' | 'retryable' | 'unavailable'>;

/**
 * AMQP 0-9-1 reply codes (§1.1 of the specification, RabbitMQ's use of them). What names a thing that is missing, refused
 * or declared otherwise is not cured by asking again: `open` fails with it, a running component stays down and keeps asking.
 */
const REPLY: Readonly<Record<number, Meaning>> = {
  311: { code: 'E_RABBITMQ_TOO_LARGE' },
  320: { code: 'E_RABBITMQ_CONNECTION', unavailable: true },
  403: { code: 'E_RABBITMQ_ACCESS_REFUSED' },
  404: { code: 'E_RABBITMQ_NOT_FOUND' },
  405: { code: 'E_RABBITMQ_LOCKED', unavailable: true },
  406: { code: 'E_RABBITMQ_PRECONDITION' },
  530: { code: 'E_RABBITMQ_NOT_ALLOWED' },
  540: { code: 'E_RABBITMQ_NOT_IMPLEMENTED' },
};

const CONNECTION: Meaning = { code: 'E_RABBITMQ_CONNECTION', unavailable: true };
const TLS: Meaning = { code: 'E_RABBITMQ_TLS' };
const TLS_FILE: Meaning = { code: 'E_RABBITMQ_TLS_FILE' };

/** Node's and OpenSSL's codes for a peer whose certificate is not accepted. */
const TLS_CODES: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What amqplib, Node or the broker's reply code means for us. `doing` opens the message, e.g. `connect`. */
export function amqpError(error: unknown, doing: string): FairleadError {
  if (error instanceof FairleadError) return error;
  return new FairleadError({ ...meaningOf(error), message: `${doing}: ${messageOf(error)}`, cause: error });
}

function meaningOf(error: unknown): Meaning {
  if (error instanceof IllegalOperationError) return CONNECTION;
  const code = (error as { code?: unknown } | null | undefined)?.code;
  if (typeof code === 'number') return REPLY[code] ?? CONNECTION;
  const text = codeOf(error);
  if (text === undefined) return CONNECTION;
  if (TLS_CODES.has(text)) return TLS;
  const syscall = (error as { syscall?: unknown }).syscall;
  return syscall === 'open' || text.startsWith('ERR_OSSL') ? TLS_FILE : CONNECTION;
}

/** The failure that a reply code of the broker stands for. */
export function replyError(replyCode: number, message: string): FairleadError {
  return new FairleadError({ ...(REPLY[replyCode] ?? CONNECTION), message });
}

/**
 * The same failure as seen by a component that has been up before: whatever it is, somebody may mend it (re-create the
 * queue, restore the permission), so the component keeps asking.
 */
export function transient(error: FairleadError): FairleadError {
  if (error.retryable || error.unavailable) return error;
  return new FairleadError({ code: error.code, message: error.message, unavailable: true, cause: error.cause });
}

/** Nothing is standing to send on. */
export function disconnected(cause: FairleadError | undefined): FairleadError {
  return new FairleadError({
    code: cause?.code ?? 'E_RABBITMQ_CONNECTION',
    message: cause?.message ?? 'not connected',
    unavailable: true,
    cause,
  });
}
