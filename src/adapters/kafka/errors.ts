import kafkajs from 'kafkajs';
import { codeOf, type FailureInit, FairleadError, messageOf } from '../../core/errors.ts';

type Meaning = Omit<FailureInit, 'message' | 'cause'>;

const final = (code: string): Meaning => ({ code });
const refused = (code: string): Meaning => ({ code, retryable: true });
const unknown = (code: string): Meaning => ({ code, retryable: true, sent: 'unknown' });

const LEADER = refused('E_KAFKA_LEADER');
const AUTHORIZATION = final('E_KAFKA_AUTHORIZATION');
const AUTHENTICATION = final('E_KAFKA_AUTHENTICATION');
const TOO_LARGE = final('E_KAFKA_TOO_LARGE');
const INVALID_RECORD = final('E_KAFKA_INVALID_RECORD');
const REFUSED = final('E_KAFKA_REFUSED');
const UNAVAILABLE: Meaning = { code: 'E_KAFKA_UNAVAILABLE', unavailable: true };

/** Protocol errors by their name (https://kafka.apache.org/protocol#protocol_error_codes); a broker that answers one has not appended, unless it says so. */
const PROTOCOL: Readonly<Record<string, Meaning>> = {
  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: TOO_LARGE,
  INVALID_RECORD: INVALID_RECORD,
  INVALID_TIMESTAMP: INVALID_RECORD,
  CORRUPT_MESSAGE: refused('E_KAFKA_CORRUPT'),
  TOPIC_AUTHORIZATION_FAILED: AUTHORIZATION,
  GROUP_AUTHORIZATION_FAILED: AUTHORIZATION,
  CLUSTER_AUTHORIZATION_FAILED: AUTHORIZATION,
  SASL_AUTHENTICATION_FAILED: AUTHENTICATION,
  UNSUPPORTED_SASL_MECHANISM: AUTHENTICATION,
  ILLEGAL_SASL_STATE: AUTHENTICATION,
  UNKNOWN_TOPIC_OR_PARTITION: refused('E_KAFKA_UNKNOWN_TOPIC'),
  INVALID_TOPIC_EXCEPTION: final('E_KAFKA_TOPIC'),
  LEADER_NOT_AVAILABLE: LEADER,
  NOT_LEADER_FOR_PARTITION: LEADER,
  BROKER_NOT_AVAILABLE: LEADER,
  REPLICA_NOT_AVAILABLE: LEADER,
  FENCED_LEADER_EPOCH: LEADER,
  UNKNOWN_LEADER_EPOCH: LEADER,
  NOT_ENOUGH_REPLICAS: refused('E_KAFKA_REPLICAS'),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: unknown('E_KAFKA_REPLICAS'),
  REQUEST_TIMED_OUT: unknown('E_KAFKA_TIMEOUT'),
  NETWORK_EXCEPTION: unknown('E_KAFKA_TIMEOUT'),
  KAFKA_STORAGE_ERROR: unknown('E_KAFKA_STORAGE'),
  UNSUPPORTED_COMPRESSION_TYPE: REFUSED,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: REFUSED,
  INVALID_REQUIRED_ACKS: REFUSED,
  POLICY_VIOLATION: REFUSED,
  REBALANCE_IN_PROGRESS: refused('E_KAFKA_REBALANCE'),
  ILLEGAL_GENERATION: refused('E_KAFKA_REBALANCE'),
  UNKNOWN_MEMBER_ID: refused('E_KAFKA_REBALANCE'),
  INVALID_SESSION_TIMEOUT: final('E_KAFKA_SESSION_TIMEOUT'),
  INCONSISTENT_GROUP_PROTOCOL: final('E_KAFKA_GROUP'),
  INVALID_GROUP_ID: final('E_KAFKA_GROUP'),
  GROUP_MAX_SIZE_REACHED: refused('E_KAFKA_GROUP'),
};

/** The error under kafkajs' retry wrappers. */
export function rootOf(error: unknown): unknown {
  let at = error;
  while (at instanceof Error && !(at instanceof kafkajs.KafkaJSProtocolError) && at.cause instanceof Error) {
    const wrapper = at instanceof kafkajs.KafkaJSNumberOfRetriesExceeded || at.name === 'KafkaJSNonRetriableError';
    if (!wrapper) break;
    at = at.cause;
  }
  return at;
}

/** The protocol error's name (`NOT_LEADER_FOR_PARTITION`), if it is one. */
export function protocolType(error: unknown): string | undefined {
  const root = rootOf(error);
  return root instanceof kafkajs.KafkaJSProtocolError ? root.type : undefined;
}

/**
 * The coded error for a failure of kafkajs. With `sending`, a lost connection means that the outcome is not known: kafkajs
 * reconnects inside the failed send and may report that second failure instead of the first.
 */
export function kafkaError(error: unknown, doing: string, sending = false): FairleadError {
  if (error instanceof FairleadError) return error;
  const root = rootOf(error);
  const meaning = meaningOf(root);
  const sent = sending && meaning.unavailable === true ? 'unknown' : (meaning.sent ?? 'no');
  return new FairleadError({ ...meaning, sent, message: `${doing}: ${messageOf(root)}`, cause: error });
}

function meaningOf(root: unknown): Meaning {
  if (root instanceof kafkajs.KafkaJSProtocolError) {
    return PROTOCOL[root.type] ?? { ...unknown('E_KAFKA_PROTOCOL'), retryable: true };
  }
  if (root instanceof kafkajs.KafkaJSSASLAuthenticationError) return AUTHENTICATION;
  if (root instanceof kafkajs.KafkaJSRequestTimeoutError) {
    return { code: 'E_KAFKA_TIMEOUT', unavailable: true, sent: 'unknown' };
  }
  if (root instanceof kafkajs.KafkaJSConnectionError) {
    return isTlsCode(codeOf(root) ?? '') ? { code: 'E_KAFKA_TLS', unavailable: true } : UNAVAILABLE;
  }
  if (root instanceof kafkajs.KafkaJSBrokerNotFound) return LEADER; // metadata names a leader that is gone
  if (root instanceof kafkajs.KafkaJSMetadataNotLoaded) return refused('E_KAFKA_UNKNOWN_TOPIC');
  if (root instanceof kafkajs.KafkaJSNotImplemented) return final('E_KAFKA_CODEC');
  if (root instanceof kafkajs.KafkaJSError) return UNAVAILABLE; // no broker, no coordinator, lock timeout, disconnected
  return codeOf(root) === undefined ? final('E_KAFKA_CLIENT') : UNAVAILABLE; // Node's own codes are about sockets
}

function isTlsCode(code: string): boolean {
  return (
    code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || code.includes('CERT') || code.includes('SIGNATURE')
  );
}
