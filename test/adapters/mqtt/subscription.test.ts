import { afterEach, describe, expect, test } from 'vitest';
import { ACK } from '../../../src/core/delivery.ts';
import type { Source } from '../../../src/core/source.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { eventually } from '../../setup/eventually.ts';
import { forgetSession, rawClient, sourceOf, unique } from './fixture.ts';

const never = new AbortController().signal;

describe.each([5, 4] as const)('subscriptions, protocol version %i', (protocolVersion) => {
  const ended: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  const open = async (
    fields: Record<string, unknown>,
    common = {},
  ): Promise<{ source: Source; intake: HoldingIntake }> => {
    const clientId = unique('sub');
    const source = sourceOf({ url: brokerUrl('MQTT'), protocolVersion }, { clientId, ...fields }, common);
    const intake = new HoldingIntake();
    intake.onArrival = ACK;
    await source.open(intake, never);
    ended.push(async () => {
      await source.close();
      await forgetSession(brokerUrl('MQTT'), clientId, protocolVersion);
    });
    return { source, intake };
  };
  const publish = async (topic: string, bodies: readonly string[], retain = false): Promise<void> => {
    const raw = await rawClient(brokerUrl('MQTT'), protocolVersion);
    for (const body of bodies) await raw.client.publishAsync(topic, body, { qos: 1, retain });
    await raw.end();
  };

  test('a share group divides the events among its members', async () => {
    const topic = unique('share');
    const fields = { topic: `${topic}/#`, share: 'group' };
    const members = [await open(fields), await open(fields)];
    const bodies = Array.from({ length: 40 }, (_, n) => `${n}`);
    await publish(`${topic}/a`, bodies);
    const all = (): string[] => members.flatMap(({ intake }) => intake.events.map(({ event }) => String(event.data)));
    await eventually(() => expect(all().length).toBe(40));
    expect(new Set(all()).size).toBe(40);
    for (const { intake } of members) expect(intake.events.length).toBeGreaterThan(0);
  });

  test('checking a member of a share group takes nothing from it', async () => {
    const topic = unique('share');
    const { source, intake } = await open({ topic, share: 'group' });
    expect(await source.check()).toMatchObject([{ ok: true }, { ok: true }]);
    await publish(topic, ['a', 'b']);
    await eventually(() => expect(intake.received.length).toBe(2));
  });

  test('retained events are taken or ignored, and told apart', async () => {
    const topic = unique('retain');
    await publish(topic, ['kept'], true);
    const as = { type: 't', source: '/{topic}', subject: 'retained-{retain}' };
    const taking = await open({ topic }, { as });
    const ignoring = await open({ topic, retain: 'ignore' });
    await eventually(() => expect(taking.intake.events.length).toBe(1));
    await publish(topic, ['live']);
    await eventually(() => expect(taking.intake.events.length).toBe(2));
    expect(taking.intake.events.map(({ event }) => event.subject)).toEqual(['retained-true', 'retained-false']);
    await eventually(() => expect(ignoring.intake.events.length).toBe(1));
    expect(String(ignoring.intake.events[0]?.event.data)).toBe('live');
    await publish(topic, [''], true);
  });

  test('several topics and the variables of a wrapped event', async () => {
    const topic = unique('plant');
    const as = { type: 'com.acme.reading', source: '/plant/{topic.1}', subject: '{topic.2}', id: '{topic}-{qos}' };
    const { intake } = await open({ topics: [`${topic}/+/telemetry`, `${topic}/+/state`] }, { as });
    await publish(`${topic}/7/telemetry`, ['{"celsius":91}']);
    await publish(`${topic}/8/state`, ['on']);
    await publish(`${topic}/9/other`, ['no']);
    await eventually(() => expect(intake.events.length).toBe(2));
    const [reading, state] = intake.events;
    expect(reading?.event).toMatchObject({ type: 'com.acme.reading', source: '/plant/7', subject: 'telemetry' });
    expect(reading?.event.id).toBe(`${topic}/7/telemetry-1`);
    expect(reading?.orderingKey).toBe(`${topic}/7/telemetry`);
    expect(state?.event.source).toBe('/plant/8');
  });

  test('QoS 0 takes events at most once', async () => {
    const topic = unique('qos0');
    const { source, intake } = await open({ topic, qos: 0 });
    await publish(topic, ['a', 'b']);
    await eventually(() => expect(intake.events.length).toBe(2));
    expect(source.health().detail).toMatchObject({ unsettled: 0 });
    await eventually(() => expect(source.health().detail).toMatchObject({ unacknowledged: 0 }));
  });
});

test('events without an id of their own get different ones', async () => {
  const topic = unique('ids');
  const source = sourceOf({ url: brokerUrl('MQTT') }, { topic, sessionExpiry: '0s' });
  const intake = new HoldingIntake();
  intake.onArrival = ACK;
  await source.open(intake, never);
  const raw = await rawClient(brokerUrl('MQTT'), 5);
  for (let n = 0; n < 5; n += 1) await raw.client.publishAsync(topic, 'same', { qos: 1 });
  await eventually(() => expect(intake.events.length).toBe(5));
  expect(new Set(intake.ids()).size).toBe(5);
  expect(intake.events[0]?.event).toMatchObject({ type: 'org.mqtt.message', source: `mqtt:${topic}` });
  await raw.end();
  await source.close();
});
