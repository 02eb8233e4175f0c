import { HealthRecord } from '../../core/connection.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import type { CheckItem, Health } from '../../core/source.ts';
import {
  CONFIRMED,
  type Leg,
  resultOf,
  type SendLimits,
  type SendResult,
  type Target,
  type TargetNotify,
} from '../../core/target.ts';
import type { CommonTargetConfig } from '../spec.ts';
import type { MemoryTopic } from './broker.ts';
import { encode } from './codec.ts';
import type { TargetConfig } from './config.ts';
import { closed, topicFull } from './errors.ts';

export class MemoryTarget implements Target {
  readonly limits: SendLimits = { maxEvents: 512, maxBytes: 4_194_304, concurrency: 4 };
  readonly #topic: MemoryTopic;
  readonly #config: TargetConfig & CommonTargetConfig;
  readonly #health = new HealthRecord();
  #full = false;
  #stop: (() => void) | undefined;

  constructor(topic: MemoryTopic, config: TargetConfig & CommonTargetConfig) {
    this.#topic = topic;
    this.#config = config;
  }

  async open(notify: TargetNotify, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#stop = this.#topic.onRoom(() => {
      if (!this.#full || this.#topic.room === 0) return;
      this.#full = false;
      notify.available();
    });
    this.#health.up();
  }

  async send(legs: readonly Leg[]): Promise<readonly SendResult[]> {
    if (this.#health.status === 'closed') return legs.map(() => resultOf(closed(this.#topic.name)));
    const { encoding, headers } = this.#config;
    const pass = headers === 'pass';
    const records = legs.map((leg) => encode(leg.event, encoding, leg.key, headersOf(leg, pass)));
    const accepted = this.#topic.put(records);
    this.#full = accepted < legs.length;
    const refusal = this.#full ? resultOf(topicFull(this.#topic.name, this.#topic.maxEvents)) : CONFIRMED;
    return legs.map((_, index) => (index < accepted ? CONFIRMED : refusal));
  }

  async backlog(): Promise<number> {
    return this.#topic.waiting;
  }

  async check(): Promise<CheckItem[]> {
    return [{ what: `memory topic "${this.#topic.name}"`, ok: true }];
  }

  health(): Health {
    return this.#health.read();
  }

  async close(): Promise<void> {
    this.#stop?.();
    this.#health.closed();
  }
}

/** What goes beside an event: the source's headers where they are passed on, and the trace context of the hop. */
function headersOf({ meta, trace }: Leg, pass: boolean): NativeHeaders | undefined {
  const passed = pass ? meta.headers : undefined;
  if (trace === undefined) return passed;
  const { tracestate: _, ...rest } = passed ?? {};
  const { traceparent, tracestate } = trace;
  return { ...rest, traceparent, ...(tracestate === undefined ? {} : { tracestate }) };
}
