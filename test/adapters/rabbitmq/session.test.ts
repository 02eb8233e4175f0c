import { EventEmitter } from 'node:events';
import type { Channel, ChannelModel } from 'amqplib';
import { afterEach, describe, expect, test } from 'vitest';
import { Connected, Link } from '../../../src/adapters/rabbitmq/link.ts';
import { type Lease, type Role, Session } from '../../../src/adapters/rabbitmq/session.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { FairleadError } from '../../../src/core/errors.ts';
import { eventually } from '../../setup/eventually.ts';

class FakeChannel extends EventEmitter {
  async close(): Promise<void> {
    this.emit('close');
  }
}

class FakeModel extends EventEmitter {
  readonly channels: FakeChannel[] = [];

  async createChannel(): Promise<FakeChannel> {
    const channel = new FakeChannel();
    this.channels.push(channel);
    return channel;
  }

  async close(): Promise<void> {
    this.emit('close');
  }

  /** As amqplib does it: the error, then the channels, then the connection. */
  drop(): void {
    this.emit('error', new Error('Unexpected close'));
    for (const channel of this.channels) channel.emit('close');
    this.emit('close', new Error('Unexpected close'));
  }
}

type SetUp = (model: FakeModel, attempt: number) => Promise<void>;

class Recorder implements Role<Channel> {
  readonly heard: string[] = [];
  readonly models: FakeModel[] = [];
  readonly #setUp: SetUp;

  constructor(setUp: SetUp) {
    this.#setUp = setUp;
  }

  makeChannel(model: ChannelModel): Promise<Channel> {
    return model.createChannel();
  }

  setUp({ connected }: Lease<Channel>): Promise<void> {
    return this.#setUp(connected.model as unknown as FakeModel, this.models.length);
  }

  up(): void {
    this.heard.push('up');
  }

  down(error: FairleadError): void {
    this.heard.push(error.code);
  }
}

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function sessionOf(role: Recorder): { session: Session<Channel>; link: Link } {
  const link = new Link(async () => {
    const model = new FakeModel();
    role.models.push(model);
    return new Connected(model as unknown as ChannelModel, new AbortController());
  }, systemClock);
  // A set-up that waits for its own timeout would outlast the test.
  const session = new Session(link, role, { setUpMs: 3_600_000, clock: systemClock, random: () => 0 });
  undo.push(
    () => link.close(),
    () => session.close(),
  );
  return { session, link };
}

const never = new AbortController().signal;

describe('Session', () => {
  test('the connection drops during a set-up that never answers: it is made again', async () => {
    const role = new Recorder(async (model, attempt) => {
      if (attempt > 1) return;
      model.drop();
      await new Promise(() => {});
    });
    const { session } = sessionOf(role);
    await session.open(never);
    expect(role.heard).toEqual(['E_RABBITMQ_CONNECTION', 'up']);
    expect(role.models.length).toBe(2);
  });

  test('the connection drops during a set-up that resolves all the same: it is noticed and made again', async () => {
    const role = new Recorder(async (model, attempt) => {
      if (attempt === 1) queueMicrotask(() => model.drop());
    });
    const { session } = sessionOf(role);
    await session.open(never);
    await eventually(() => role.models.length === 2 && session.lease !== undefined);
    expect(role.heard.at(-1)).toBe('up');
    expect(role.heard).toContain('E_RABBITMQ_CONNECTION');
  });

  test('what cannot be cured fails open, and only keeps a session waiting that was up before', async () => {
    const gone = new FairleadError({ code: 'E_RABBITMQ_NOT_FOUND', message: 'gone' });
    await expect(sessionOf(new Recorder(() => Promise.reject(gone))).session.open(never)).rejects.toBe(gone);

    const role = new Recorder((_, attempt) => (attempt === 2 ? Promise.reject(gone) : Promise.resolve()));
    const { session } = sessionOf(role);
    await session.open(never);
    role.models[0]?.drop();
    await eventually(() => role.heard.includes('E_RABBITMQ_NOT_FOUND'));
    role.models[1]?.drop();
    await eventually(() => role.heard.filter((word) => word === 'up').length === 2);
  });

  test('closed while it is being set up, it stays closed', async () => {
    const role = new Recorder(() => new Promise(() => {}));
    const { session } = sessionOf(role);
    const opened = session.open(never);
    await eventually(() => role.models.length === 1);
    const refused = expect(opened).rejects.toMatchObject({ code: 'E_RABBITMQ_CLOSED' });
    await session.close();
    await refused;
    expect(session.lease).toBeUndefined();
    expect(role.heard).toEqual([]);
  });

  test('a closed link is not asked again', async () => {
    const role = new Recorder(async () => {});
    const { session, link } = sessionOf(role);
    await session.open(never);
    await link.close();
    await session.close();
    await expect(link.get()).rejects.toMatchObject({ code: 'E_RABBITMQ_CLOSED' });
    expect(role.models.length).toBe(1);
  });
});
