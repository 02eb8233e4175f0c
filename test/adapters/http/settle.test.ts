import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpBroker } from '../../../src/adapters/http/broker.ts';
import type { HttpSource } from '../../../src/adapters/http/source.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { ACK, type Outcome } from '../../../src/core/delivery.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { eventually } from '../../setup/eventually.ts';
import { FakeClock } from '../../setup/fake-clock.ts';
import { broker, rawExchange, source } from './fixture.ts';

const HEADERS = { 'ce-specversion': '1.0', 'ce-source': '/s', 'ce-type': 't' };
const RETRY: Outcome = { verdict: 'retry', reason: 'later' };
const REJECT: Outcome = { verdict: 'reject', reason: 'E_UNMATCHED' };
const never = new AbortController().signal;

let handle: HttpBroker;
let held: HttpSource;
let intake: HoldingIntake;

async function open(config: Parameters<typeof source>[1] = {}, clock = systemClock): Promise<void> {
  handle = broker({}, { clock: systemClock });
  held = source(handle, config, { clock });
  intake = new HoldingIntake();
  await held.open(intake, never);
}

const url = () => `${handle.address()?.url}/events`;
const post = (id: string) => fetch(url(), { method: 'POST', headers: { ...HEADERS, 'ce-id': id }, body: 'x' });
const postBatch = (ids: readonly string[]) =>
  fetch(url(), {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(ids.map((id) => ({ specversion: '1.0', id, source: '/s', type: 't' }))),
  });
const arrived = (count: number) => eventually(() => intake.received.length === count);
const settle = (...outcomes: Outcome[]) => {
  outcomes.forEach((outcome, index) => {
    intake.received[index]?.settle(outcome);
  });
};
const code = async (response: Response) => ((await response.json()) as { code: string }).code;
const detail = (name: string) => held.health().detail?.[name];

afterEach(() => handle.close());

describe('a request is answered when its event is settled', () => {
  beforeEach(() => open({ retryAfter: '3s' }));

  test('ack: 202 with no body, and not before', async () => {
    let answered = false;
    const response = post('1').finally(() => {
      answered = true;
    });
    await arrived(1);
    expect(answered).toBe(false);
    expect(detail('unsettled')).toBe(1);
    settle(ACK);
    expect((await response).status).toBe(202);
    expect(await (await response).text()).toBe('');
    expect(detail('unsettled')).toBe(0);
  });

  test('retry: 503 with Retry-After, the longer of both', async () => {
    const responses = [post('1'), post('2')];
    await arrived(2);
    settle(RETRY, { ...RETRY, delayMs: 4_200 });
    const [first, second] = (await Promise.all(responses)).sort((a, b) =>
      String(a.headers.get('retry-after')).localeCompare(String(b.headers.get('retry-after'))),
    );
    expect([first?.status, first?.headers.get('retry-after')]).toEqual([503, '3']);
    expect([second?.status, second?.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await code(first as Response)).toBe('E_HTTP_RETURNED');
  });

  test('reject: 422 with the reason', async () => {
    const response = post('1');
    await arrived(1);
    settle(REJECT);
    expect((await response).status).toBe(422);
    expect(await (await response).json()).toMatchObject({ code: 'E_HTTP_REJECTED', detail: 'E_UNMATCHED' });
  });

  test.each<[string, Outcome[], number, string | undefined]>([
    ['all taken', [ACK, ACK, ACK], 202, undefined],
    ['one to be sent again', [ACK, RETRY, REJECT], 503, 'E_HTTP_RETURNED'],
    ['one refused', [ACK, REJECT, ACK], 500, 'E_HTTP_BATCH_PARTIAL'],
    ['all refused', [REJECT, REJECT, REJECT], 422, 'E_HTTP_REJECTED'],
  ])('a batch has one status: %s', async (_what, outcomes, status, expected) => {
    const response = postBatch(['a', 'b', 'c']);
    await arrived(3);
    expect(intake.events.map(({ meta }) => meta.position['index'])).toEqual([0, 1, 2]);
    settle(...outcomes);
    expect((await response).status).toBe(status);
    if (expected !== undefined) expect(await code(await response)).toBe(expected);
  });

  test('an empty batch is 2xx at once', async () => {
    expect((await postBatch([])).status).toBe(202);
    expect(intake.received).toEqual([]);
  });

  test('settled out of order, every request gets its own answer', async () => {
    const responses = Array.from({ length: 10 }, (_, n) => post(String(n)));
    await arrived(10);
    for (const { delivery, settle: end } of [...intake.received].reverse()) {
      end(Number(delivery.event?.id) % 2 === 0 ? ACK : RETRY);
    }
    const statuses = (await Promise.all(responses)).map(({ status }) => status);
    expect(statuses).toEqual(Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? 202 : 503)));
  });

  test('a client that does not wait is counted, and its event is settled all the same', async () => {
    const text =
      'POST /events HTTP/1.1\r\nhost: x\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: t\r\n\r\n';
    const socket = connect(handle.address()?.port as number, '127.0.0.1', () => socket.write(text));
    await arrived(1);
    socket.resetAndDestroy();
    // a request on another connection is behind the reset
    await eventually(async () => {
      await fetch(url());
      return detail('gone') === 0;
    });
    const again = post('2');
    await arrived(2);
    settle(ACK, ACK);
    expect((await again).status).toBe(202);
    expect(detail('gone')).toBe(1);
    expect(detail('unsettled')).toBe(0);
  });
});

describe('nothing waits for ever, and nothing piles up', () => {
  test('paused: 503 at once, body unread; resumed: taken', async () => {
    await open();
    held.pause();
    const refused = await post('1');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await code(refused)).toBe('E_HTTP_BUSY');
    held.resume();
    intake.onArrival = ACK;
    expect((await post('1')).status).toBe(202);
    expect(intake.ids()).toEqual(['1']);
    expect(detail('busy')).toBe(1);
  });

  test('paused while the body is under way: 503', async () => {
    await open();
    const head =
      'POST /events HTTP/1.1\r\nhost: x\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: t\r\n';
    const socket = connect(handle.address()?.port as number, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write(`${head}expect: 100-continue\r\ncontent-length: 2\r\n\r\na`);
    await eventually(() => text.includes('100 Continue'));
    held.pause();
    socket.write('b');
    await eventually(() => text.includes('HTTP/1.1 503'));
    socket.destroy();
    expect(intake.received).toEqual([]);
  });

  test('full: 503 at maxInFlight, taken again when there is room', async () => {
    await open({ maxInFlight: 2 });
    const waiting = [post('1'), post('2')];
    await arrived(2);
    expect((await post('3')).status).toBe(503);
    settle(ACK);
    const third = post('3');
    await arrived(3);
    for (const received of intake.received.slice(1)) received.settle(ACK);
    expect((await Promise.all([...waiting, third])).map(({ status }) => status)).toEqual([202, 202, 202]);
  });

  test('past its deadline: 503; what comes then is counted and changes nothing', async () => {
    const clock = new FakeClock();
    await open({ timeout: '30s' }, clock);
    const first = postBatch(['1', '2']);
    await arrived(2);
    await clock.advance(20_000);
    const second = post('3');
    await arrived(3);
    settle(ACK);
    await clock.advance(10_000);
    expect((await first).status).toBe(503);
    expect(await code(await first)).toBe('E_HTTP_DEADLINE');
    expect((await first).headers.get('retry-after')).toBe('1');
    expect([detail('waiting'), detail('expired'), detail('late'), detail('unsettled')]).toEqual([1, 1, 0, 2]);
    intake.received[1]?.settle(ACK);
    expect([detail('late'), detail('unsettled')]).toEqual([1, 1]);
    await clock.advance(9_000);
    intake.received[2]?.settle(ACK);
    expect((await second).status).toBe(202);
    await clock.advance(60_000);
    expect([detail('expired'), clock.pending]).toEqual([1, 0]);
  });
});

describe('close', () => {
  test('what waits is told to come again, and the port is free', async () => {
    await open();
    const { port } = handle.address() as { port: number };
    const response = post('1');
    await arrived(1);
    await held.close();
    expect((await response).status).toBe(503);
    expect(await code(await response)).toBe('E_HTTP_CLOSING');
    expect(handle.address()).toBeUndefined();
    settle(ACK);
    const again = broker({ listen: { port } });
    await source(again).open(new HoldingIntake(), never);
    await again.close();
  });

  test('does not hang behind keep-alive clients, idle or busy', async () => {
    await open();
    const port = handle.address()?.port as number;
    const text =
      'POST /events HTTP/1.1\r\nhost: x\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: t\r\n\r\n';
    const sockets = Array.from({ length: 5 }, () => connect(port, '127.0.0.1'));
    const closed = sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve)));
    const [idle, used, waiting] = sockets;
    for (const socket of sockets) socket.resume().on('error', () => undefined);
    expect(idle?.destroyed).toBe(false);
    used?.write(text);
    await arrived(1);
    settle(ACK);
    waiting?.write(text);
    await arrived(2);
    await held.close();
    await Promise.all(closed);
  });

  test('a request that never ends is cut off after the bound', async () => {
    await open();
    const port = handle.address()?.port as number;
    const text = 'POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc';
    const cut = rawExchange(port, text, () => false);
    await eventually(async () => (await fetch(url())).status === 405);
    await held.close();
    await cut;
  });

  test('a source closes alone: the others of its broker go on', async () => {
    await open();
    const other = source(handle, { path: '/other' });
    const mine = new HoldingIntake();
    mine.onArrival = ACK;
    await other.open(mine, never);
    await held.close();
    expect((await post('1')).status).toBe(404);
    const init = { method: 'POST', headers: { ...HEADERS, 'ce-id': '2' } };
    expect((await fetch(`${handle.address()?.url}/other`, init)).status).toBe(202);
    await other.close();
    expect(handle.address()).toBeUndefined();
  });
});
