import { describe, expect, test } from 'vitest';
import { BATCH, BatchQueue } from '../../../src/adapters/sqs/batch-queue.ts';
import type { Entry, Lease } from '../../../src/adapters/sqs/entry.ts';
import { fromCall, fromEntry } from '../../../src/adapters/sqs/errors.ts';
import { GroupGate } from '../../../src/adapters/sqs/groups.ts';
import { Heartbeat } from '../../../src/adapters/sqs/heartbeat.ts';
import { deduplicationId, type Parcel, packOrdered, packUnordered, sqsId } from '../../../src/adapters/sqs/pack.ts';
import { resultOf } from '../../../src/core/target.ts';
import { FakeClock } from '../../setup/fake-clock.ts';

const parcel = (index: number, over: Partial<Parcel> = {}): Parcel => ({
  index,
  key: undefined,
  groupId: undefined,
  deduplicationId: undefined,
  message: { body: 'x', attributes: undefined, bytes: 100, headersDropped: 0 },
  ...over,
});

const indices = (streams: readonly (readonly (readonly Parcel[])[])[]): number[][][] =>
  streams.map((stream) => stream.map((batch) => batch.map(({ index }) => index)));

describe('pack', () => {
  test('a 200-character or unprintable partition key becomes a hashed group id', () => {
    const long = 'k'.repeat(200);
    expect(sqsId(long)).toMatch(/^[0-9a-f]{64}$/);
    expect(sqsId(long)).toBe(sqsId(long));
    expect(sqsId(`${long}x`)).not.toBe(sqsId(long));
    expect(sqsId('k'.repeat(128))).toBe('k'.repeat(128));
    for (const odd of ['with space', 'ü', 'a\n']) expect(sqsId(odd)).toMatch(/^[0-9a-f]{64}$/);
    expect(sqsId('!~A9_./')).toBe('!~A9_./');
    expect(deduplicationId('a', 'b', 'r')).not.toBe(deduplicationId('a', 'b', 'q'));
    expect(deduplicationId('ab', 'c', 'r')).not.toBe(deduplicationId('a', 'bc', 'r'));
  });

  test('standard: calls of ten at once, and never more bytes than a batch may have', () => {
    const many = Array.from({ length: 23 }, (_, n) => parcel(n));
    expect(packUnordered(many, 10_000).map((stream) => stream.map((batch) => batch.length))).toEqual([[10], [10], [3]]);
    for (const [batch] of packUnordered(many, 350)) expect(batch?.length).toBeLessThanOrEqual(3);
    expect(packUnordered(many, 350).flat(2).length).toBe(23);
  });

  test('FIFO: a group stays in one stream in order, a key once in each batch', () => {
    const keyed = Array.from({ length: 7 }, (_, n) => parcel(n, { key: `k${n % 2}`, groupId: `k${n % 2}` }));
    expect(indices(packOrdered(keyed, 10_000))).toEqual([[[0, 1], [2, 3], [4, 5], [6]]]);
    // without keys nobody asked for more than the order in which they stand
    const unkeyed = Array.from({ length: 12 }, (_, n) => parcel(n, { groupId: 'g' }));
    expect(indices(packOrdered(unkeyed, 10_000))).toEqual([
      [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [10, 11],
      ],
    ]);
    const groups = Array.from({ length: 40 }, (_, n) => parcel(n, { key: `k${n % 20}`, groupId: `k${n % 20}` }));
    const streams = packOrdered(groups, 10_000);
    expect(streams.map((stream) => stream.map((batch) => batch.length))).toEqual([
      [10, 10],
      [10, 10],
    ]);
    expect(packOrdered([], 10_000)).toEqual([]);
  });
});

describe('errors', () => {
  const node = (code: string, over: object = {}): Error => Object.assign(new Error('x'), { code, ...over });
  const sdk = (name: string, status: number): Error =>
    Object.assign(new Error('x'), { name, $metadata: { httpStatusCode: status } });

  test.each([
    [node('ECONNREFUSED', { syscall: 'connect' }), 'E_SQS_UNREACHABLE', 'failed', true, true],
    [node('ETIMEDOUT', { syscall: 'connect' }), 'E_SQS_UNREACHABLE', 'failed', true, true],
    [new AggregateError([node('ECONNREFUSED')], 'all'), 'E_SQS_UNREACHABLE', 'failed', true, true],
    [node('ENOTFOUND'), 'E_SQS_UNREACHABLE', 'failed', true, true],
    // the SDK's connection timeout has no code, its request timeout has
    [Object.assign(new Error('x'), { name: 'TimeoutError' }), 'E_SQS_UNREACHABLE', 'failed', true, true],
    [node('ETIMEDOUT', { name: 'TimeoutError' }), 'E_SQS_TIMEOUT', 'unknown', true, false],
    [node('ECONNRESET', { name: 'TimeoutError' }), 'E_SQS_CONNECTION_LOST', 'unknown', true, false],
    [sdk('AbortError', 0), 'E_SQS_TIMEOUT', 'unknown', true, false],
    [sdk('QueueDoesNotExist', 400), 'E_SQS_QUEUE_MISSING', 'failed', true, true],
    [sdk('AWS.SimpleQueueService.NonExistentQueue', 400), 'E_SQS_QUEUE_MISSING', 'failed', true, true],
    [sdk('AccessDeniedException', 400), 'E_SQS_ACCESS_DENIED', 'failed', true, true],
    [sdk('CredentialsProviderError', 0), 'E_SQS_CREDENTIALS', 'failed', true, true],
    [sdk('RequestThrottled', 400), 'E_SQS_THROTTLED', 'failed', true, false],
    [sdk('Unheard', 429), 'E_SQS_THROTTLED', 'failed', true, false],
    [sdk('InternalError', 500), 'E_SQS_SERVICE', 'unknown', true, false],
    [sdk('Unheard', 503), 'E_SQS_SERVICE', 'unknown', true, false],
    [sdk('Unheard', 404), 'E_SQS_QUEUE_MISSING', 'failed', true, true],
    [sdk('InvalidMessageContents', 400), 'E_SQS_REFUSED', 'failed', false, false],
    [sdk('BatchRequestTooLong', 400), 'E_SQS_TOO_LARGE', 'failed', false, false],
    [sdk('Unheard', 400), 'E_SQS_REFUSED', 'failed', false, false],
  ])('%#: a call that failed', (error, code, status, retryable, unavailable) => {
    expect(resultOf(fromCall(error, 'cannot send'))).toMatchObject({ code, status, retryable, unavailable });
  });

  test.each([
    [{ Code: 'InvalidMessageContents', SenderFault: true }, 'E_SQS_REFUSED', false],
    [{ Code: 'Unheard', SenderFault: true }, 'E_SQS_REFUSED', false],
    [{ Code: 'ThrottlingException', SenderFault: true }, 'E_SQS_THROTTLED', true],
    [{ Code: 'InternalError', SenderFault: false }, 'E_SQS_SERVICE', true],
    [{ Code: 'ReceiptHandleIsInvalid', SenderFault: true }, 'E_SQS_HANDLE_EXPIRED', false],
    [{}, 'E_SQS_SERVICE', true],
  ])('%#: an entry that failed was certainly not accepted', (entry, code, retryable) => {
    expect(resultOf(fromEntry(entry))).toMatchObject({ code, status: 'failed', retryable });
  });
});

function entries(lease: Lease, count: number, group?: string): Entry[] {
  const made = Array.from({ length: count }, (_, n) => ({
    handle: `h${n}`,
    group,
    attempt: 1,
    lease,
    delivery: undefined,
    end: undefined,
    lapsed: false,
    extending: false,
    returnIn: undefined,
  }));
  lease.entries.push(...made);
  lease.open += count;
  return lease.entries;
}

const leaseAt = (receivedAt: number): Lease => ({ receivedAt, entries: [], dueAt: 0, open: 0 });

describe('heartbeat', () => {
  test('extends what is unsettled from the time of receive, and nothing else', async () => {
    const clock = new FakeClock();
    const extended: string[] = [];
    const release = (): void => expect.unreachable();
    const beat = new Heartbeat({ clock, visibilityMs: 30_000, release, extend: ({ handle }) => extended.push(handle) });
    const lease = leaseAt(clock.now());
    const [a, b, c] = entries(lease, 3) as [Entry, Entry, Entry];
    beat.track(lease);
    await clock.advance(14_000);
    expect(extended).toEqual([]);
    b.end = 'delete';
    beat.settled(lease);
    c.lapsed = true;
    await clock.advance(1_500);
    expect(extended).toEqual(['h0']);
    await clock.advance(60_000);
    expect(extended).toEqual(['h0', 'h0', 'h0', 'h0', 'h0']);
    expect(beat.stop()).toEqual([a, c]);
    await clock.advance(60_000);
    expect(extended.length).toBe(5);
    expect(clock.pending).toBe(0);
  });

  test('leases settled in full are forgotten, later ones keep their own time', async () => {
    const clock = new FakeClock();
    let extended = 0;
    const extend = (): void => {
      extended += 1;
    };
    const beat = new Heartbeat({ clock, visibilityMs: 30_000, extend, release: extend });
    const first = leaseAt(clock.now());
    for (const entry of entries(first, 2)) entry.end = 'delete';
    beat.track(first);
    beat.settled(first);
    beat.settled(first);
    await clock.advance(10_000);
    const second = leaseAt(clock.now());
    entries(second, 1);
    beat.track(second);
    await clock.advance(14_000);
    expect(extended).toBe(0);
    await clock.advance(1_500);
    expect(extended).toBe(1);
  });

  test('lets go before the twelve hours of SQS are over', async () => {
    const clock = new FakeClock();
    const released: number[] = [];
    const release = (entry: Entry): void => {
      entry.lapsed = true;
      released.push(clock.now());
    };
    const beat = new Heartbeat({ clock, visibilityMs: 3_600_000, extend: () => {}, release });
    const lease = leaseAt(0);
    entries(lease, 1);
    beat.track(lease);
    await clock.advance(24 * 3_600_000);
    expect(released.length).toBe(1);
    expect(released[0]).toBeGreaterThan(10 * 3_600_000);
    expect(released[0]).toBeLessThan(12 * 3_600_000);
  });
});

describe('batch queue', () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('coalesces what comes in one turn, and what gathers while a call is under way', async () => {
    const clock = new FakeClock();
    const calls: { size: number; end: () => void }[] = [];
    const queue = new BatchQueue<{ tries: number }>({
      call: (items) => new Promise((resolve) => calls.push({ size: items.length, end: () => resolve([]) })),
      concurrency: 2,
      eager: false,
      clock,
      random: () => 0,
    });
    for (let n = 0; n < 13; n += 1) queue.push({ tries: 0 });
    await turn();
    expect(calls.map(({ size }) => size)).toEqual([BATCH]); // the three wait for the call to end, or for company
    for (let n = 0; n < 7; n += 1) queue.push({ tries: 0 });
    await turn();
    expect(calls.map(({ size }) => size)).toEqual([BATCH, BATCH]);
    for (let n = 0; n < 12; n += 1) queue.push({ tries: 0 });
    await turn();
    expect(calls.length).toBe(2); // bounded
    calls[0]?.end();
    await turn();
    await turn();
    expect(calls.map(({ size }) => size)).toEqual([BATCH, BATCH, BATCH]);
    let idle = false;
    const done = queue.idle().then(() => {
      idle = true;
    });
    for (const { end } of calls) end();
    await turn();
    await turn();
    expect([calls.map(({ size }) => size)[3], idle]).toEqual([2, false]);
    calls[3]?.end();
    await done;
  });

  test('tries failed items again later, and idle waits for them', async () => {
    const clock = new FakeClock();
    const tries: number[] = [];
    const queue = new BatchQueue<{ tries: number }>({
      call: async (items) => {
        tries.push(...items.map((item) => item.tries));
        return items.filter((item) => item.tries < 2);
      },
      concurrency: 1,
      eager: true,
      clock,
      random: () => 0.5,
    });
    queue.push({ tries: 0 });
    const idle = queue.idle();
    await clock.advance(1_000);
    await idle;
    expect(tries).toEqual([0, 1, 2]);
  });
});

test('group gate: one of a group is out at a time; a failure takes those behind it along', () => {
  const gate = new GroupGate();
  const [a1, a2, a3] = entries(leaseAt(0), 3, 'a') as [Entry, Entry, Entry];
  const [b1] = entries(leaseAt(0), 1, 'b') as [Entry];
  expect([a1, a2, a3, b1].map((entry) => gate.admit(entry))).toEqual([true, false, false, true]);
  expect(gate.next(a1)).toBe(a2);
  expect(gate.fail(a2)).toEqual([a3]);
  expect(gate.admit(a1)).toBe(true);
  expect(gate.next(a1)).toBeUndefined();
  expect(gate.next(b1)).toBeUndefined();
  expect(gate.admit(b1)).toBe(true);
});
