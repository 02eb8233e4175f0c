import { afterEach, expect, test } from 'vitest';
import { SqsBroker } from '../../../src/adapters/sqs/client.ts';
import { SqsTarget } from '../../../src/adapters/sqs/target.ts';
import type { FairleadError } from '../../../src/core/errors.ts';
import type { Target, TargetNotify } from '../../../src/core/target.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { brokerConfig, context, QueueFixture, targetConfig } from './fixture.ts';
import { callError, SqsProxy } from './proxy.ts';

const never = new AbortController().signal;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

class Notes implements TargetNotify {
  readonly notes: string[] = [];
  available(): void {
    this.notes.push('available');
  }
  unavailable(error: FairleadError): void {
    this.notes.push(error.code);
  }
}

interface Stage {
  fixture: QueueFixture;
  proxy: SqsProxy;
  target: Target;
  notes: Notes;
}

/** A target on a fresh queue, through the proxy. */
async function stage(over: Record<string, unknown> & { fifo?: boolean } = {}): Promise<Stage> {
  const { fifo = false, ...config } = over;
  const fixture = await QueueFixture.create(fifo);
  cleanups.push(() => fixture.teardown());
  const proxy = await SqsProxy.start();
  cleanups.push(() => proxy.stop());
  const broker = new SqsBroker(brokerConfig({ endpoint: proxy.url, requestTimeout: '2s' }));
  cleanups.push(() => broker.close());
  const target = new SqsTarget(broker, targetConfig(fixture.name, config), context);
  cleanups.push(() => target.close());
  const notes = new Notes();
  await target.open(notes, never);
  return { fixture, proxy, target, notes };
}

const legs = (count: number, key?: string) =>
  Array.from({ length: count }, (_, n) =>
    legOf(jsonEvent(n, key === undefined ? {} : { extensions: extensions({ partitionkey: key }) })),
  );

const batches = (proxy: SqsProxy) => proxy.requests.filter(({ action }) => action === 'SendMessageBatch');

test('fills its calls: 25 legs go out as 10, 10 and 5', async () => {
  const { target, proxy, fixture } = await stage();
  const results = await target.send(legs(25), never);
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['confirmed']));
  expect(
    batches(proxy)
      .map(({ body }) => body.Entries.length)
      .sort(),
  ).toEqual([10, 10, 5]);
  expect((await fixture.take(25)).length).toBe(25);
  expect(await target.backlog()).toBe(0);
});

test('each entry of a batch has its own result: refused for good, retryable, unanswered, confirmed', async () => {
  const { target, proxy } = await stage();
  proxy.after = (action, answer) => {
    if (action !== 'SendMessageBatch') return answer;
    return {
      Successful: answer.Successful.filter(({ Id }: { Id: string }) => Number(Id) > 3),
      Failed: [
        { Id: '0', SenderFault: true, Code: 'InvalidMessageContents' },
        { Id: '1', SenderFault: false, Code: 'InternalError' },
        { Id: '2', SenderFault: true, Code: 'RequestThrottled' },
      ],
    };
  };
  const results = await target.send(legs(5), never);
  expect(results).toMatchObject([
    { status: 'failed', code: 'E_SQS_REFUSED', retryable: false },
    { status: 'failed', code: 'E_SQS_SERVICE', retryable: true },
    { status: 'failed', code: 'E_SQS_THROTTLED', retryable: true },
    { status: 'unknown', code: 'E_SQS_UNANSWERED', retryable: true },
    { status: 'confirmed' },
  ]);
});

test('a call refused as a whole is halved until the bad entry stands alone', async () => {
  const { target, proxy, fixture } = await stage();
  const bad = legs(10);
  const refuse = (body: { Entries: { MessageBody: string }[] }): boolean =>
    body.Entries.some(({ MessageBody }) => MessageBody.includes(bad[6]?.event.id as string));
  proxy.before = (action, body) =>
    action === 'SendMessageBatch' && refuse(body) ? callError(400, 'BatchRequestTooLong') : undefined;
  const results = await target.send(bad, never);
  expect(results.map(({ status }) => status)).toEqual(bad.map((_, n) => (n === 6 ? 'failed' : 'confirmed')));
  expect(results[6]).toMatchObject({ code: 'E_SQS_TOO_LARGE', retryable: false });
  expect((await fixture.take(9)).length).toBe(9);
});

test('an answer that is lost leaves the outcome unknown; a 500 does as well; one attempt is one attempt', async () => {
  const { target, proxy, notes } = await stage();
  proxy.before = (action) => (action === 'SendMessageBatch' ? 'reset' : undefined);
  expect(await target.send(legs(1), never)).toMatchObject([
    { status: 'unknown', code: 'E_SQS_CONNECTION_LOST', retryable: true, unavailable: false },
  ]);
  proxy.before = (action) => (action === 'SendMessageBatch' ? callError(500, 'InternalError') : undefined);
  expect(await target.send(legs(1), never)).toMatchObject([{ status: 'unknown', code: 'E_SQS_SERVICE' }]);
  expect(batches(proxy).length).toBe(2);
  expect(notes.notes).toEqual([]);
});

test('a call without an answer ends at the bound of a request, or when the lane aborts', async () => {
  const { target, proxy } = await stage();
  proxy.before = (action) => (action === 'SendMessageBatch' ? 'hang' : undefined);
  const abort = new AbortController();
  const sending = target.send(legs(12), abort.signal);
  await eventually(() => expect(batches(proxy).length).toBe(2));
  abort.abort();
  const results = await sending;
  expect(new Set(results.map((result) => result.status))).toEqual(new Set(['unknown']));
  expect(await target.send(legs(1), never)).toMatchObject([{ status: 'unknown', code: 'E_SQS_TIMEOUT' }]);
});

test('a deleted queue pauses the lane and dead-letters nothing; the target finds back by itself', async () => {
  const { target, proxy, notes } = await stage();
  let broken = true;
  proxy.before = () => (broken ? callError(400, 'QueueDoesNotExist') : undefined);
  expect(await target.send(legs(3), never)).toMatchObject(
    Array(3).fill({ status: 'failed', code: 'E_SQS_QUEUE_MISSING', retryable: true, unavailable: true }),
  );
  expect(notes.notes).toEqual(['E_SQS_QUEUE_MISSING']);
  expect(target.health()).toMatchObject({ status: 'down', lastError: { code: 'E_SQS_QUEUE_MISSING' } });
  broken = false;
  await eventually(() => expect(notes.notes).toEqual(['E_SQS_QUEUE_MISSING', 'available']));
  expect(target.health().status).toBe('up');
  expect((await target.send(legs(3), never)).every(({ status }) => status === 'confirmed')).toBe(true);
});

test('an endpoint that is not there: open keeps trying, sends are unavailable and were not sent', async () => {
  const { target, proxy, notes } = await stage();
  await proxy.stop();
  const unreachable = { status: 'failed', code: 'E_SQS_UNREACHABLE', unavailable: true };
  // the first may find the kept-alive connection cut under it, which leaves it unknown
  await eventually(async () => expect(await target.send(legs(1), never)).toMatchObject([unreachable]));
  expect(notes.notes).toEqual(['E_SQS_UNREACHABLE']);
  const broker = new SqsBroker(brokerConfig({ endpoint: 'http://127.0.0.1:1' }));
  const lost = new SqsTarget(broker, targetConfig('q'), context);
  const abort = new AbortController();
  const opening = lost.open(new Notes(), abort.signal);
  await eventually(() => expect(lost.health().lastError?.code).toBe('E_SQS_UNREACHABLE'));
  abort.abort(new Error('enough'));
  await expect(opening).rejects.toThrow('enough');
  await broker.close();
});

test('over the limit is final, whether the configuration or the queue says so', async () => {
  const large = legOf(jsonEvent(1, { datacontenttype: 'text/plain', data: Buffer.from('x'.repeat(3_000)) }));
  const expected = [{ status: 'failed', code: 'E_SQS_TOO_LARGE', retryable: false }, { status: 'confirmed' }];
  const { target, proxy, fixture } = await stage({ maxBytes: '2KiB' });
  expect(await target.send([large, ...legs(1)], never)).toMatchObject(expected);

  proxy.after = (action, answer) => {
    if (action === 'GetQueueAttributes') answer.Attributes.MaximumMessageSize = '2048';
    return answer;
  };
  const broker = new SqsBroker(brokerConfig({ endpoint: proxy.url }));
  cleanups.push(() => broker.close());
  const limited = new SqsTarget(broker, targetConfig(fixture.name), context);
  cleanups.push(() => limited.close());
  await limited.open(new Notes(), never);
  expect(await limited.send([large, ...legs(1)], never)).toMatchObject(expected);
});

test('a batch stays under maxBytes', async () => {
  const { target, proxy } = await stage({ maxBytes: '4KiB' });
  const text = (n: number) => jsonEvent(n, { datacontenttype: 'text/plain', data: Buffer.from('x'.repeat(1_000)) });
  const results = await target.send(
    Array.from({ length: 10 }, (_, n) => legOf(text(n))),
    never,
  );
  expect(results.every(({ status }) => status === 'confirmed')).toBe(true);
  for (const { body } of batches(proxy)) expect(body.Entries.length).toBeLessThanOrEqual(3);
});

test('FIFO: when one fails, none of its key after it is sent; other keys go on', async () => {
  const { target, proxy, fixture } = await stage({ fifo: true });
  const sent = [...legs(3, 'a'), ...legs(3, 'b')];
  const failing = sent[1]?.event.id as string;
  proxy.before = (action, body) => {
    if (action !== 'SendMessageBatch') return undefined;
    const failed = body.Entries.filter((entry: { MessageBody: string }) => entry.MessageBody.includes(failing));
    body.Entries = body.Entries.filter((entry: unknown) => !failed.includes(entry));
    body.refused = failed;
    return undefined;
  };
  proxy.after = (action, answer, body) => {
    if (action !== 'SendMessageBatch') return answer;
    const Failed = body.refused.map(({ Id }: { Id: string }) => ({ Id, SenderFault: false, Code: 'InternalError' }));
    return { ...answer, Failed: [...(answer.Failed ?? []), ...Failed] };
  };
  const results = await target.send(sent, never);
  expect(results).toMatchObject([
    { status: 'confirmed' },
    { status: 'failed', code: 'E_SQS_SERVICE' },
    { status: 'failed', code: 'E_SQS_HELD', retryable: true },
    ...Array(3).fill({ status: 'confirmed' }),
  ]);
  const arrived = (await fixture.take(4)).map(({ Body }) => JSON.parse(Body ?? '').id);
  expect(arrived.slice().sort()).toEqual([0, 3, 4, 5].map((n) => sent[n]?.event.id).sort());
});

test('FIFO: group and deduplication ids; a resend of the same leg is dropped by SQS', async () => {
  const { target, fixture } = await stage({ fifo: true });
  const long = 'k'.repeat(200);
  const [first] = legs(1, long);
  const [bare] = legs(1);
  const sent = [first, bare, { ...bare, key: 'lane-key' }].map((leg, n) => ({ ...leg, route: `r${n}` })) as never;
  await target.send(sent, never);
  expect((await target.send(sent, never)).every(({ status }) => status === 'confirmed')).toBe(true);
  const messages = await fixture.take(3);
  expect(messages.length).toBe(3);
  const groups = messages.map(({ Attributes }) => Attributes?.MessageGroupId).sort();
  expect(groups).toEqual(['/test/suite', expect.stringMatching(/^[0-9a-f]{64}$/), 'lane-key'].sort());
  expect(await target.backlog()).toBe(0);
});

test('the attributes to mirror and the group are configurable', async () => {
  const { target, proxy } = await stage({ fifo: true, mirror: ['subject', 'id'], group: '{type}' });
  const event = jsonEvent(1, { subject: 'süb' });
  await target.send([legOf(event)], never);
  const [entry] = batches(proxy)[0]?.body.Entries ?? [];
  expect(entry.MessageGroupId).toBe(event.type);
  expect(Object.keys(entry.MessageAttributes).sort()).toEqual(['ce_id', 'ce_subject']);
});
