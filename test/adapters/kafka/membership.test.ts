import { EventEmitter } from 'node:events';
import kafkajs, { type Consumer, type EachBatchPayload } from 'kafkajs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { KafkaBroker } from '../../../src/adapters/kafka/client.ts';
import type { KafkaSourceConfig } from '../../../src/adapters/kafka/config.ts';
import { Membership, type MembershipEvents } from '../../../src/adapters/kafka/membership.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { FairleadError } from '../../../src/core/errors.ts';
import { eventually } from '../../setup/eventually.ts';
import { context, never } from './fixture.ts';

/** Timers run when the test says so. */
class Ticks implements Clock {
  #now = 0;
  #timers: { at: number; fn: () => void }[] = [];
  now = (): number => this.#now;
  wall = (): number => this.#now;
  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  /** Advances second by second, letting promises settle in between. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      this.#now += 1_000;
      const due = this.#timers.filter(({ at }) => at <= this.#now);
      this.#timers = this.#timers.filter(({ at }) => at > this.#now);
      for (const { fn } of due) fn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const EVENTS = { CRASH: 'crash', GROUP_JOIN: 'join', REBALANCING: 'rebalancing', HEARTBEAT: 'heartbeat' };

/** A kafkajs consumer as far as membership uses it. */
class FakeConsumer extends EventEmitter {
  readonly events = EVENTS;
  readonly options: object;
  disconnected = 0;
  failure: unknown;

  constructor(options: object, failure: unknown) {
    super();
    this.options = options;
    this.failure = failure;
  }
  async connect(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
  }
  async subscribe(): Promise<void> {}
  async run(): Promise<void> {}
  async disconnect(): Promise<void> {
    this.disconnected += 1;
  }
  join(memberId = 'm1'): void {
    this.emit(EVENTS.GROUP_JOIN, { payload: { memberId, memberAssignment: { t: [0, 1] } } });
  }
}

const config = {
  topics: ['t'],
  sessionTimeout: 6_000,
  heartbeatInterval: 1_000,
  rebalanceTimeout: 30_000,
} as unknown as KafkaSourceConfig;

describe('membership', () => {
  let clock: Ticks;
  let made: FakeConsumer[];
  let failures: unknown[];
  let seen: string[];
  let gaps: boolean[];
  let membership: Membership;
  const last = (): FakeConsumer => made.at(-1) as FakeConsumer;

  beforeEach(() => {
    clock = new Ticks();
    made = [];
    failures = [];
    seen = [];
    gaps = [];
    const broker = {
      config: { requestTimeout: 10_000 },
      client: () => ({
        kafka: {
          consumer(options: object) {
            made.push(new FakeConsumer(options, failures.shift()));
            return last();
          },
        },
        destroy() {},
      }),
    } as unknown as KafkaBroker;
    const events: MembershipEvents = {
      joined: (_consumer: Consumer, partitions, gap) => {
        gaps.push(gap);
        seen.push(`joined ${[...partitions.entries()].join()}`);
      },
      rebalancing: () => seen.push('rebalancing'),
      left: () => {},
      batch: async (_payload: EachBatchPayload) => {},
      down: (error: FairleadError) => seen.push(`down ${error.code}`),
      up: () => {},
      noted: () => {},
    };
    const own = { ...context('in'), clock, random: () => 0 };
    membership = new Membership(broker, config, 'g', own, events);
  });

  const opened = async (): Promise<void> => {
    const opening = membership.start(never);
    await eventually(() => made.length === 1 && last().listenerCount('join') === 1);
    last().join();
    await opening;
  };

  test("kafkajs' own restart is off and its topics are not created", async () => {
    await opened();
    expect(last().options).toMatchObject({ groupId: 'g', allowAutoTopicCreation: false });
    const { retry } = last().options as { retry: { restartOnFailure(): Promise<boolean> } };
    expect(await retry.restartOnFailure()).toBe(false);
    await membership.stop();
  });

  test('a crash, restart or not, brings another consumer; a new member id tells of a gap', async () => {
    await opened();
    last().emit(EVENTS.CRASH, { payload: { error: new kafkajs.KafkaJSConnectionError('gone'), restart: false } });
    await eventually(async () => {
      await clock.pass(1);
      return made.length === 2;
    });
    expect(made[0]?.disconnected).toBe(1);
    last().join('m2');
    last().join('m2');
    expect(gaps).toEqual([true, true, false]);
    expect(seen).toContain('down E_KAFKA_UNAVAILABLE');
    await membership.stop();
    expect(last().disconnected).toBe(1);
  });

  test('silence is told at first, then the consumer is replaced; heartbeats keep it', async () => {
    await opened();
    for (let i = 0; i < 60; i += 1) {
      last().emit(EVENTS.HEARTBEAT, {});
      await clock.pass(1);
    }
    expect(made.length).toBe(1);
    expect(seen.join()).not.toContain('down');
    await clock.pass(10);
    expect(seen).toContain('down E_KAFKA_SILENT');
    expect(made.length).toBe(1);
    await eventually(async () => {
      await clock.pass(1);
      return made.length === 2;
    });
    await membership.stop();
  });

  test('a process that stood still for minutes is not a consumer that hangs', async () => {
    await opened();
    clock.after(0, () => {});
    const frozen = clock.now;
    clock.now = () => frozen() + 600_000;
    await clock.pass(1);
    expect(made.length).toBe(1);
    await membership.stop();
  });

  test('a rebalance may take its time', async () => {
    await opened();
    last().emit(EVENTS.REBALANCING, {});
    await clock.pass(40);
    expect([made.length, seen.at(-1)]).toEqual([1, 'rebalancing']);
    await membership.stop();
  });

  test('what retrying cannot cure rejects the first open; an unreachable broker does not', async () => {
    failures = [
      new kafkajs.KafkaJSConnectionError('refused'),
      Reflect.construct(kafkajs.KafkaJSSASLAuthenticationError, ['wrong']),
    ];
    const opening = membership.start(never);
    const rejected = expect(opening).rejects.toMatchObject({ code: 'E_KAFKA_AUTHENTICATION' });
    await eventually(async () => {
      await clock.pass(1);
      return made.length === 2;
    });
    await rejected;
    expect(seen).toEqual(['down E_KAFKA_UNAVAILABLE', 'down E_KAFKA_AUTHENTICATION']);
  });

  test('a topic that stays unknown rejects; after an open it is only waited for', async () => {
    const unknown = (): Error =>
      new kafkajs.KafkaJSProtocolError({
        type: 'UNKNOWN_TOPIC_OR_PARTITION',
        code: 3,
        retriable: true,
        message: 'no',
      } as never);
    failures = [unknown(), unknown(), unknown()];
    const opening = membership.start(never);
    const rejected = expect(opening).rejects.toMatchObject({ code: 'E_KAFKA_UNKNOWN_TOPIC' });
    await eventually(async () => {
      await clock.pass(1);
      return made.length === 3;
    });
    await rejected;
  });

  test('an abort while it connects ends it', async () => {
    const abort = new AbortController();
    const opening = membership.start(abort.signal);
    abort.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await membership.stop();
  });
});
