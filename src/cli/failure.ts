import { EXIT } from './exit.ts';

/** Codes that mean: reached, but the credentials or the rights do not do. */
export const AUTH_CODES: ReadonlySet<string> = new Set([
  'E_KAFKA_AUTHENTICATION',
  'E_KAFKA_AUTHORIZATION',
  'E_RABBITMQ_ACCESS_REFUSED',
  'E_RABBITMQ_CREDENTIALS',
  'E_RABBITMQ_NOT_ALLOWED',
  'E_MQTT_AUTH',
  'E_MQTT_NOT_AUTHORIZED',
  'E_HTTP_DENIED',
  'E_SQS_ACCESS_DENIED',
  'E_SQS_CREDENTIALS',
]);

/** The exit code for what failed at a broker: 7 where any of it is about credentials or rights, else `otherwise`. */
export function exitFor(codes: Iterable<string | undefined>, otherwise: number): number {
  for (const code of codes) if (code !== undefined && AUTH_CODES.has(code)) return EXIT.auth;
  return otherwise;
}
