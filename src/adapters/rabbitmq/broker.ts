import type { Channel } from 'amqplib';
import type { Clock } from '../../core/clock.ts';
import type { CheckItem } from '../../core/source.ts';
import type { AdapterContext, BrokerHandle } from '../spec.ts';
import type { RabbitBrokerConfig } from './config.ts';
import { amqpError } from './errors.ts';
import { type Connected, dial, Link } from './link.ts';
import { Lease, within } from './session.ts';

/** The connections of one broker entry: one for its sources, one for its targets. */
export class RabbitBroker implements BrokerHandle {
  readonly consuming: Link;
  readonly publishing: Link;
  readonly setUpMs: number;
  readonly #config: RabbitBrokerConfig;
  readonly #context: AdapterContext;

  constructor(config: RabbitBrokerConfig, context: AdapterContext) {
    this.#config = config;
    this.#context = context;
    this.setUpMs = config.connectTimeout;
    this.consuming = new Link(() => this.#dial('consume'), context.clock);
    this.publishing = new Link(() => this.#dial('publish'), context.clock);
  }

  async close(): Promise<void> {
    await Promise.all([this.consuming.close(), this.publishing.close()]);
  }

  /** Connects on its own, tries each step on a channel of its own, and disconnects. */
  async check(steps: readonly CheckStep[]): Promise<CheckItem[]> {
    const { clock } = this.#context;
    let connected: Connected;
    try {
      connected = await this.#dial('check');
    } catch (error) {
      return [failedItem('connect', error)];
    }
    const items: CheckItem[] = [{ what: 'connect', ok: true }];
    try {
      for (const { what, run } of steps) {
        try {
          await onChannel(connected, clock, this.setUpMs, run);
          items.push({ what, ok: true });
        } catch (error) {
          items.push(failedItem(what, error));
        }
      }
    } finally {
      await connected.close(clock);
    }
    return items;
  }

  /** Events ready in the queue as the broker counts them; undefined while disconnected or where the queue is gone. */
  async depth(link: Link, queue: string): Promise<number | undefined> {
    const connected = link.current;
    if (connected === undefined) return undefined;
    const { clock, log } = this.#context;
    try {
      return (await onChannel(connected, clock, this.setUpMs, (channel) => channel.checkQueue(queue))).messageCount;
    } catch (error) {
      const { code, message } = amqpError(error, 'count');
      log.debug({ queue, code }, message);
      return undefined;
    }
  }

  #dial(purpose: string): Promise<Connected> {
    const { gateway, name, clock } = this.#context;
    return dial(this.#config, `${gateway}/${name} ${purpose}`, clock);
  }
}

export interface CheckStep {
  readonly what: string;
  run(channel: Channel): Promise<unknown>;
}

/** Runs `fn` on a throwaway channel, since whatever fails on a channel closes it. */
async function onChannel<T>(
  connected: Connected,
  clock: Clock,
  ms: number,
  fn: (channel: Channel) => Promise<T>,
): Promise<T> {
  const lease = new Lease(await within(connected.model.createChannel(), ms, clock, 'open a channel'), connected);
  try {
    return await within(fn(lease.channel), ms, clock, 'ask the broker');
  } finally {
    await lease.close(clock);
  }
}

function failedItem(what: string, error: unknown): CheckItem {
  const { code, message } = amqpError(error, what);
  return { what, ok: false, code, message };
}
