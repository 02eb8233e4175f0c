import { afterEach } from 'vitest';
import { RabbitBroker } from '../../../src/adapters/rabbitmq/broker.ts';
import type { RabbitTargetConfig } from '../../../src/adapters/rabbitmq/config.ts';
import { RabbitTarget } from '../../../src/adapters/rabbitmq/target.ts';
import type { FairleadError } from '../../../src/core/errors.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import type { SendResult } from '../../../src/core/target.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { testContext } from '../../setup/context.ts';
import { TcpProxy } from './proxy.ts';
import { brokerConfig, RawClient, targetConfig } from './raw.ts';

/** Undone in reverse order after each test. */
export const undo: (() => Promise<unknown>)[] = [];
export const never: AbortSignal = new AbortController().signal;

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

export async function rawClient(): Promise<RawClient> {
  const raw = await RawClient.connect();
  undo.push(() => raw.close());
  return raw;
}

export async function proxied(): Promise<TcpProxy> {
  const proxy = await TcpProxy.start();
  undo.push(() => proxy.close());
  return proxy;
}

/** Notes what the target tells its lane. */
export class Notes {
  readonly heard: string[] = [];

  available(): void {
    this.heard.push('available');
  }

  unavailable(error: FairleadError): void {
    this.heard.push(error.code);
  }
}

export interface OpenTarget {
  readonly target: RabbitTarget;
  readonly notes: Notes;
}

/** A broker entry for targets that share its connection. */
export function brokerAt(url?: string): RabbitBroker {
  const broker = new RabbitBroker(brokerConfig(url), testContext('broker', { random: () => 0 }));
  undo.push(() => broker.close());
  return broker;
}

export async function opened(
  over: Partial<RabbitTargetConfig>,
  url?: string,
  broker: RabbitBroker = brokerAt(url),
): Promise<OpenTarget> {
  const target = new RabbitTarget(broker, targetConfig(over), testContext('out', { random: () => 0 }));
  undo.push(() => target.close());
  const notes = new Notes();
  await target.open(notes, never);
  return { target, notes };
}

export const send = (
  target: RabbitTarget,
  events: readonly MeshEvent[],
  signal: AbortSignal = never,
): Promise<readonly SendResult[]> =>
  target.send(
    events.map((event) => legOf(event)),
    signal,
  );

export const statuses = (results: readonly SendResult[]): string[] => results.map(({ status }) => status);
