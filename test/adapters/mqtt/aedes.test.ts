import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { expect, test } from 'vitest';
import { ACK } from '../../../src/core/delivery.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { identity, mixedEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { sourceOf, targetOf } from './fixture.ts';

const never = new AbortController().signal;

test('the embedded broker (MQTT 3.1.1) carries events through a target and a source, with late PUBACK', async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const broker = { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, protocolVersion: 4 };
  const source = sourceOf(broker, { topic: 'embedded/#', clientId: 'embedded' });
  const target = targetOf(broker, { topic: 'embedded/{partitionkey}' });
  const intake = new HoldingIntake();
  await source.open(intake, never);
  await target.open({ available() {}, unavailable() {} }, never);

  const events = Array.from({ length: 60 }, (_, n) => mixedEvent(n));
  const results = await target.send(
    events.map((event) => legOf(event)),
    never,
  );
  expect(results.every(({ status }) => status === 'confirmed')).toBe(true);
  await eventually(() => expect(intake.events.length).toBe(60));
  const byId = new Map(intake.events.map(({ event }) => [event.id, event]));
  for (const event of events) expect(identity(byId.get(event.id) as MeshEvent)).toEqual(identity(event));
  for (const { settle } of intake.received.slice(10)) settle(ACK);
  await source.close();

  const second = new HoldingIntake();
  const again = sourceOf(broker, { topic: 'embedded/#', clientId: 'embedded' });
  await again.open(second, never);
  await eventually(() => expect(second.ids().sort()).toEqual(intake.ids().slice(0, 10).sort()));
  await again.close();
  await target.close();
  await new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve())));
});

test('a broker that speaks only 3.1.1 says so to a client of MQTT 5', async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const source = sourceOf({ url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` }, { topic: 'x' });
  expect(await source.check()).toMatchObject([{ ok: false, code: 'E_MQTT_PROTOCOL_VERSION' }]);
  await source.close();
  await new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve())));
});
