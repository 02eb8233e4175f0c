import kafkajs from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { kafkaError } from '../../../src/adapters/kafka/errors.ts';
import { resultOf } from '../../../src/core/target.ts';

const protocol = (type: string, retriable = false): Error =>
  new kafkajs.KafkaJSProtocolError({ type, code: 1, retriable, message: 'text' } as never);
const wrapped = (cause: Error): Error =>
  new kafkajs.KafkaJSNumberOfRetriesExceeded(cause as never, { retryCount: 0, retryTime: 1 } as never);

describe('kafkajs errors', () => {
  test.each([
    [protocol('MESSAGE_TOO_LARGE'), 'E_KAFKA_TOO_LARGE', 'failed', false],
    [wrapped(protocol('NOT_LEADER_FOR_PARTITION', true)), 'E_KAFKA_LEADER', 'failed', true],
    [wrapped(protocol('UNKNOWN_TOPIC_OR_PARTITION', true)), 'E_KAFKA_UNKNOWN_TOPIC', 'failed', true],
    [protocol('TOPIC_AUTHORIZATION_FAILED'), 'E_KAFKA_AUTHORIZATION', 'failed', false],
    [wrapped(protocol('NOT_ENOUGH_REPLICAS', true)), 'E_KAFKA_REPLICAS', 'failed', true],
    [wrapped(protocol('NOT_ENOUGH_REPLICAS_AFTER_APPEND', true)), 'E_KAFKA_REPLICAS', 'unknown', true],
    [wrapped(protocol('REQUEST_TIMED_OUT', true)), 'E_KAFKA_TIMEOUT', 'unknown', true],
    [protocol('KAFKAJS_UNKNOWN_ERROR_CODE'), 'E_KAFKA_PROTOCOL', 'unknown', true],
    [wrapped(new kafkajs.KafkaJSConnectionError('x')), 'E_KAFKA_UNAVAILABLE', 'unknown', true],
    [new kafkajs.KafkaJSRequestTimeoutError('x' as never, {} as never), 'E_KAFKA_TIMEOUT', 'unknown', true],
    [Reflect.construct(kafkajs.KafkaJSBrokerNotFound, ['x']) as Error, 'E_KAFKA_LEADER', 'failed', true],
    [new TypeError('x'), 'E_KAFKA_CLIENT', 'failed', false],
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'E_KAFKA_UNAVAILABLE', 'unknown', true],
  ] as const)('%s while sending is %s', (error, code, status, retryable) => {
    expect(resultOf(kafkaError(error, 'produce', true))).toMatchObject({ code, status, retryable });
  });

  test('outside a send a lost connection has sent nothing', () => {
    expect(kafkaError(new kafkajs.KafkaJSConnectionError('x'), 'connect')).toMatchObject({
      sent: 'no',
      unavailable: true,
    });
  });

  test('the text does not matter', () => {
    expect(kafkaError(new TypeError('NOT_LEADER_FOR_PARTITION'), 'x').code).toBe('E_KAFKA_CLIENT');
  });
});
