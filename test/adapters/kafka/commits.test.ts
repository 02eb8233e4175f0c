import kafkajs, { type OffsetsByTopicPartition } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { Commits } from '../../../src/adapters/kafka/commits.ts';
import { PartitionWindow } from '../../../src/adapters/kafka/partition.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { eventually } from '../../setup/eventually.ts';

function windowWith(topic: string, partition: number, settled: number): PartitionWindow {
  const window = new PartitionWindow(topic, partition, { maxEvents: 100, maxBytes: 1e6 });
  window.accept(0);
  const slots = Array.from({ length: settled + 1 }, (_, offset) => window.deliver(offset));
  for (const slot of slots.slice(0, settled)) window.settle(slot);
  return window;
}
const refused = (type: string): Error =>
  new kafkajs.KafkaJSProtocolError({ type, code: 22, retriable: false, message: type } as never);

describe('commits', () => {
  test('all due partitions in one request, once', async () => {
    const windows = [windowWith('a', 0, 3), windowWith('a', 1, 0), windowWith('b', 0, 5)];
    const sent: unknown[] = [];
    const commits = new Commits(
      systemClock,
      1,
      () => windows,
      () => {},
    );
    commits.bind(async (offsets) => {
      sent.push((offsets as OffsetsByTopicPartition).topics);
    });
    await commits.flush();
    await commits.flush();
    expect(sent).toEqual([
      [
        { topic: 'a', partitions: [{ partition: 0, offset: '3' }] },
        { topic: 'b', partitions: [{ partition: 0, offset: '5' }] },
      ],
    ]);
    expect(commits.due).toBe(false);
    commits.stop();
  });

  test('a window that has left is not committed', async () => {
    const window = windowWith('a', 0, 3);
    window.live = false;
    let calls = 0;
    const commits = new Commits(
      systemClock,
      1,
      () => [window],
      () => {},
    );
    commits.bind(async () => {
      calls += 1;
    });
    await commits.flush();
    expect(calls).toBe(0);
    commits.stop();
  });

  test('refused for its generation it waits for the next join; another failure is tried again', async () => {
    const window = windowWith('a', 0, 3);
    const errors: unknown[] = [];
    let calls = 0;
    const commits = new Commits(
      systemClock,
      1,
      () => [window],
      (error) => errors.push(error),
    );
    const commit = async (): Promise<void> => {
      calls += 1;
      if (calls === 1) throw new kafkajs.KafkaJSConnectionError('lost');
      if (calls === 2) throw refused('ILLEGAL_GENERATION');
    };
    commits.bind(commit);
    await eventually(() => errors.length === 2);
    expect(errors).toMatchObject([{ code: 'E_KAFKA_UNAVAILABLE' }, { code: 'E_KAFKA_REBALANCE' }]);
    await commits.flush();
    expect([calls, commits.due]).toEqual([2, true]);
    commits.bind(commit);
    await eventually(() => !commits.due);
    expect(calls).toBe(3);
    commits.stop();
  });
});
