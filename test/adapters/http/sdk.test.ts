import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from 'cloudevents';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpBroker } from '../../../src/adapters/http/broker.ts';
import { ACK } from '../../../src/core/delivery.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { broker, source, TestReceiver, target } from './fixture.ts';

// The SDK cuts times to milliseconds of UTC, so it is asked with times that it keeps.
const TIME = '2024-05-01T12:00:00.123Z';
const never = new AbortController().signal;

describe('the SDK sends to us', () => {
  let handle: HttpBroker;
  let intake: HoldingIntake;
  beforeEach(async () => {
    handle = broker();
    intake = new HoldingIntake();
    intake.onArrival = ACK;
    await source(handle).open(intake, never);
  });
  afterEach(() => handle.close());

  test.each([Mode.BINARY, Mode.STRUCTURED])('%s', async (mode) => {
    const emit = emitterFor(httpTransport(`${handle.address()?.url}/events`), { mode });
    const event = {
      id: '1',
      source: '/sdk',
      type: 'com.acme.order',
      time: TIME,
      subject: 'a/b',
      ext: 'v',
      partitionkey: 'k',
    };
    await emit(new CloudEvent({ ...event, datacontenttype: 'application/json', data: { a: [1, 'é €'] } }));
    const delivery = intake.events[0];
    expect(delivery?.event).toMatchObject({
      id: '1',
      source: '/sdk',
      type: 'com.acme.order',
      time: TIME,
      subject: 'a/b',
    });
    expect(delivery?.event.extensions['ext']).toBe('v');
    expect(delivery?.event.json()).toEqual({ a: [1, 'é €'] });
    expect(delivery?.orderingKey).toBe('k');
  });
});

describe('the SDK reads what we send', () => {
  test.each(['binary', 'structured'] as const)('%s', async (encoding) => {
    const receiver = await new TestReceiver().start();
    const handle = broker({ url: receiver.url });
    const made = target(handle, { encoding });
    await made.open({ available() {}, unavailable() {} }, never);
    const event = jsonEvent(1, { time: TIME, subject: 'a/b', extensions: extensions({ ext: 'v', partitionkey: 'k' }) });
    expect(await made.send([legOf(event)], never)).toEqual([{ status: 'confirmed' }]);
    const { headers, body } = receiver.seen[0] as (typeof receiver.seen)[number];
    // it refuses a charset parameter
    const read = { ...headers, 'content-type': String(headers['content-type']).split(';')[0] };
    expect(HTTP.toEvent({ headers: read, body: body.toString() })).toMatchObject({
      id: event.id,
      source: event.source,
      type: event.type,
      time: TIME,
      subject: 'a/b',
      ext: 'v',
      partitionkey: 'k',
      data: event.json(),
    });
    await handle.close();
    await receiver.stop();
  });
});
