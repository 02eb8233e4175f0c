import { afterEach, describe, expect, test, vi } from 'vitest';
import { SqsBroker } from '../../../src/adapters/sqs/client.ts';
import { brokerSchema, type SqsBrokerConfig, sourceSchema, targetSchema } from '../../../src/adapters/sqs/config.ts';
import { sqs } from '../../../src/adapters/sqs/index.ts';
import { Pollers } from '../../../src/adapters/sqs/pollers.ts';
import { SqsTarget } from '../../../src/adapters/sqs/target.ts';
import { FakeClock } from '../../setup/fake-clock.ts';
import { context, targetConfig } from './fixture.ts';

afterEach(() => vi.unstubAllEnvs());

test('queues are names or URLs, durations and sizes have the bounds of SQS', () => {
  for (const queue of ['jobs', 'jobs.fifo', 'https://sqs.eu-central-1.amazonaws.com/123/jobs']) {
    expect(sourceSchema.safeParse({ queue }).success, queue).toBe(true);
  }
  for (const queue of ['', 'a b', 'jobs.txt', 'x'.repeat(81), 'arn:aws:sqs:eu:1:q']) {
    expect(targetSchema.safeParse({ queue }).success, queue).toBe(false);
  }
  for (const wrong of [{ waitTime: '21s' }, { waitTime: '0s' }, { visibilityTimeout: '12h' }, { pollers: 0 }]) {
    expect(sourceSchema.safeParse({ queue: 'q', ...wrong }).success, JSON.stringify(wrong)).toBe(false);
  }
  for (const wrong of [{ maxBytes: '2MiB' }, { mirror: ['specversion'] }, { group: '{' }, { delay: '1s' }]) {
    expect(targetSchema.safeParse({ queue: 'q', ...wrong }).success, JSON.stringify(wrong)).toBe(false);
  }
  expect(sourceSchema.parse({ queue: 'q' })).toMatchObject({ waitTime: 20_000, visibilityTimeout: 30_000, pollers: 4 });
  expect(targetSchema.parse({ queue: 'q' })).toMatchObject({ maxBytes: 2 ** 20, mirror: ['type', 'source'] });
});

test('without a region anywhere, opening is refused for good with what to do', async () => {
  vi.stubEnv('AWS_REGION', undefined);
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
  const broker = new SqsBroker(brokerSchema.parse({}) as SqsBrokerConfig);
  const target = new SqsTarget(broker, targetConfig('q'), context);
  const opening = target.open({ available() {}, unavailable() {} }, new AbortController().signal);
  await expect(opening).rejects.toMatchObject({ code: 'E_SQS_REGION', retryable: false });
  expect(await target.check()).toMatchObject([{ ok: false, code: 'E_SQS_REGION' }]);
  await broker.close();
});

test('lint: deduplication on a standard queue, plain HTTP to another host', () => {
  const lint = (kind: 'broker' | 'target', config: Record<string, unknown>, broker: Record<string, unknown> = {}) =>
    sqs.lint?.({ kind, config, broker }).map(({ code }) => code);
  expect(lint('target', { queue: 'q', deduplication: '{id}' })).toEqual(['W_SQS_FIFO_ONLY']);
  expect(lint('target', { queue: 'q.fifo', deduplication: '{id}' })).toEqual([]);
  for (const [endpoint, codes] of [
    ['http://sqs.example.com', ['W_SQS_PLAIN_HTTP']],
    ['http://127.0.0.1:9324', []],
    ['http://localhost:9324', []],
    ['https://sqs.example.com', []],
  ] as const) {
    const config = { endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
    expect(lint('broker', config, config)).toEqual(codes);
  }
});

describe('pollers', () => {
  interface Poll {
    answer(count: number): void;
  }

  function start(room = (): boolean => true): { pollers: Pollers; polls: Poll[]; clock: FakeClock } {
    const clock = new FakeClock();
    const polls: Poll[] = [];
    const receive = (signal: AbortSignal): Promise<number> =>
      new Promise((resolve, reject) => {
        const poll = {
          answer: (count: number): void => {
            polls.splice(polls.indexOf(poll), 1);
            resolve(count);
          },
        };
        polls.push(poll);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    const onFailure = (): void => expect.unreachable();
    const pollers = new Pollers({ count: 3, receive, room, onFailure, clock, random: () => 0 });
    pollers.start();
    return { pollers, polls, clock };
  }

  test('one polls an idle queue, all a backlog, and the others rest when it is gone', async () => {
    const { pollers, polls, clock } = start();
    await clock.advance(5_000);
    expect(polls.length).toBe(1);
    polls[0]?.answer(10);
    await clock.advance(1);
    polls[0]?.answer(10);
    await clock.advance(1);
    expect(polls.length).toBe(3);
    for (let n = 0; n < 12 && polls.length > 1; n += 1) {
      await clock.advance(1_000);
      for (const poll of [...polls]) poll.answer(1);
      await clock.advance(1);
    }
    expect(polls.length).toBe(1);
    const stopped = pollers.stop(500);
    await clock.advance(600);
    await stopped;
  });

  test('an endpoint that never waits is not asked without pause', async () => {
    const { pollers, polls, clock } = start();
    await clock.advance(1);
    polls[0]?.answer(0);
    await clock.advance(50);
    expect(polls.length).toBe(0);
    await clock.advance(100);
    expect(polls.length).toBe(1);
    const stopped = pollers.stop(0);
    await clock.advance(1);
    await stopped;
  });
});
