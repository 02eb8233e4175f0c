import { ReasonCodes } from 'mqtt';
import { codeOf, FairleadError } from '../../core/errors.ts';
import { CONFIRMED, type SendResult } from '../../core/target.ts';

/** The name the specification gives a reason code (MQTT 5 §2.4; 1–5 are CONNACK codes of MQTT 3.1.1 §3.2.2.3). */
function reasonName(code: number): string {
  return (ReasonCodes as Record<number, string | undefined>)[code] || `reason code ${code}`;
}

/** A failed connection attempt or a connection that broke, from the client's error: a CONNACK code or a Node socket code. */
export function connectionError(error: unknown): FairleadError {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'number') return refusedError(code, error);
  const message = error instanceof Error && error.message !== '' ? error.message : (codeOf(error) ?? 'unknown error');
  return new FairleadError({
    code: 'E_MQTT_CONNECTION',
    message: `the connection failed: ${message}`,
    unavailable: true,
    sent: 'unknown',
    cause: error,
  });
}

/**
 * A refused CONNACK. Credentials and quotas are mended at the broker, so they are tried again for ever; a protocol version
 * or client id that the broker does not take needs another configuration.
 */
function refusedError(code: number, cause: unknown): FairleadError {
  const why = `the broker refused the connection: ${reasonName(code)}`;
  switch (code) {
    case 1:
    case 132:
      return new FairleadError({
        code: 'E_MQTT_PROTOCOL_VERSION',
        message: `${why}; set "protocolVersion" to what it speaks (4 is MQTT 3.1.1)`,
        cause,
      });
    case 2:
    case 133:
      return new FairleadError({ code: 'E_MQTT_CLIENT_ID', message: `${why}; set another "clientId"`, cause });
    case 4:
    case 5:
    case 134:
    case 135:
    case 140:
      return new FairleadError({ code: 'E_MQTT_AUTH', message: why, unavailable: true, cause });
    default:
      return new FairleadError({ code: 'E_MQTT_REFUSED', message: why, unavailable: true, cause });
  }
}

/** The broker or the network closed the connection without a word; mosquitto 2.0 does so to a client whose id another one takes over. */
export function closedError(): FairleadError {
  return new FairleadError({
    code: 'E_MQTT_CONNECTION',
    message: 'the connection was closed without a reason (a second client with the same client id has that effect)',
    unavailable: true,
    sent: 'unknown',
  });
}

/** Why the broker said it ends the connection (DISCONNECT, MQTT 5 §3.14). */
export function disconnectError(code: number): FairleadError {
  const twin = code === 142 ? '; another client uses the same client id' : '';
  return new FairleadError({
    code: code === 142 ? 'E_MQTT_TAKEN_OVER' : 'E_MQTT_DISCONNECTED',
    message: `the broker ended the connection: ${reasonName(code)}${twin}`,
    unavailable: true,
    sent: 'unknown',
  });
}

/** What no reconnect cures: an invalid filter, or shared subscriptions or wildcards that the broker does not have. */
const FINAL_SUBACK = new Set([143, 158, 161, 162]);

/** A refused subscription (SUBACK, MQTT 5 §3.9.3; 128 is the only failure of 3.1.1). */
export function subscribeError(code: number, filter: string): FairleadError {
  return new FairleadError({
    code: 'E_MQTT_SUBSCRIBE',
    message: `the broker refused the subscription to "${filter}": ${reasonName(code)}`,
    retryable: !FINAL_SUBACK.has(code),
  });
}

/** What a PUBACK says (MQTT 5 §3.4.2.1). Below 128 is success: 16 only tells that nobody subscribes. */
export function pubackResult(code: number | undefined): SendResult {
  if (code === undefined || code < 128) return CONFIRMED;
  return {
    status: 'failed',
    code: PUBACK_CODES[code] ?? 'E_MQTT_REFUSED',
    message: `the broker refused the event: ${reasonName(code)}`,
    retryable: !FINAL_PUBACK.has(code),
  };
}

/** Not authorized, topic name invalid, payload format invalid: the same again cannot succeed. */
const FINAL_PUBACK = new Set([135, 144, 153]);

const PUBACK_CODES: Readonly<Record<number, string>> = {
  135: 'E_MQTT_NOT_AUTHORIZED',
  144: 'E_MQTT_TOPIC',
  151: 'E_MQTT_QUOTA',
  153: 'E_MQTT_PAYLOAD_FORMAT',
};
