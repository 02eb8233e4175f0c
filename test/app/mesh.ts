import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { MemoryBroker } from '../../src/adapters/memory/broker.ts';
import { encode } from '../../src/adapters/memory/codec.ts';
import { memory } from '../../src/adapters/memory/index.ts';
import type { AdapterSpec, CommonTargetConfig } from '../../src/adapters/spec.ts';
import { Gateway, type GatewayEnvironment } from '../../src/app.ts';
import { environment } from '../../src/components.ts';
import type { GatewayConfig } from '../../src/config/types.ts';
import type { DeadLetterInit } from '../../src/core/dead-letter.ts';
import { FairleadError } from '../../src/core/errors.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import type { Log } from '../../src/core/log.ts';
import type { Source } from '../../src/core/source.ts';
import type { Leg, SendResult, Target } from '../../src/core/target.ts';
import { openTracing } from '../../src/tracing.ts';
import { extensions, jsonEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { parseConfig } from '../setup/gateway.ts';

/** How targets on an address behave: sends are held while `shut`; `down` fails them as unreachable. */
export interface Behaviour {
  shut?: boolean;
  down?: boolean;
  /** `open` never resolves. */
  unreachable?: boolean;
  /** `open` rejects. */
  impossible?: boolean;
  /** A source on it goes on for this many turns of the event loop after it was told to pause. */
  deafTurns?: number;
  /** How many turns of the event loop a send takes; one by default. */
  turns?: () => number;
  /** Sends fail as worth another attempt. */
  failing?: boolean;
}

/** An event with its number, in the order of its key. */
export function numbered(n: number, key: string, type = 'test.reading'): MeshEvent {
  return jsonEvent(n, { id: `e-${n}`, type, extensions: extensions({ partitionkey: key, sequence: String(n) }) });
}

/** What a gateway on memory topics delivered, and the handles to steer it. Topics outlive reloads. */
export class Mesh {
  readonly broker = new MemoryBroker(1_000_000);
  /** By topic, in the order of arrival. */
  readonly arrived = new Map<string, MeshEvent[]>();
  readonly letters: DeadLetterInit[] = [];
  /** Components by what happened to them, e.g. `target out opened`. */
  readonly story: string[] = [];
  readonly behaviour = new Map<string, Behaviour>();
  readonly logged: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  readonly adapter: AdapterSpec;
  /** Topics that events were put on. */
  readonly #fed = new Set<string>();

  constructor(options: { exclusive?: boolean } = {}) {
    const { schema, features } = memory.target as NonNullable<AdapterSpec['target']>;
    this.adapter = {
      ...memory,
      target: { schema, features: { ...features, exclusive: options.exclusive ?? false } },
      createBroker: (_config, { name }) => {
        this.story.push(`broker ${name} made`);
        return Object.assign(Object.create(this.broker) as MemoryBroker, {
          topic: (topic: string) => this.broker.topic(topic),
          close: async () => {
            this.story.push(`broker ${name} closed`);
          },
        });
      },
      createSource: (broker, config, context) => {
        const source = memory.createSource?.(broker, config, context);
        if (source === undefined) throw new Error('no source');
        const { topic } = config as unknown as { topic: string };
        return this.#told(this.#deafened(source, topic), `source ${context.name}`);
      },
      createTarget: (broker, config, context) => {
        const target = memory.createTarget?.(broker, config, context);
        if (target === undefined) throw new Error('no target');
        const { topic } = config as { topic: string } & CommonTargetConfig;
        return this.#told(this.#steered(target, topic), `target ${context.name}`);
      },
    };
  }

  /** Collects what arrives on a topic. */
  read(name: string): MeshEvent[] {
    const events: MeshEvent[] = [];
    this.arrived.set(name, events);
    const topic = this.broker.topic(name);
    topic.onRecords(() => {
      const records = topic.take(10_000);
      topic.acknowledge(records.length);
      for (const { record } of records) if (record.event !== undefined) events.push(record.event);
    });
    return events;
  }

  put(topic: string, events: readonly MeshEvent[]): void {
    this.#fed.add(topic);
    const put = this.broker.topic(topic).put(events.map((event) => encode(event, 'binary')));
    if (put !== events.length) throw new Error('the topic is full');
  }

  /** How often something happened to a component. */
  count(what: RegExp): number {
    return this.story.filter((line) => what.test(line)).length;
  }

  of(topic: string): Behaviour {
    let found = this.behaviour.get(topic);
    if (found === undefined) {
      found = {};
      this.behaviour.set(topic, found);
    }
    return found;
  }

  /** Runs a configuration; stopped at the end of the test. */
  async run(document: object, env: Partial<GatewayEnvironment> = {}): Promise<Gateway> {
    const parts = { adapters: [this.adapter], log: this.#log(), ...env };
    const parsed = config(document);
    const gateway = new Gateway(parsed, this.#keeper(), parts, await openTracing(parsed, environment(parts)));
    onTestFinished(() => {
      for (const behaviour of this.behaviour.values()) Object.assign(behaviour, { shut: false, down: false });
      return gateway.stop();
    });
    gateway.start((error) => this.story.push(`fatal ${error.code}`));
    await gateway.ready(10_000);
    return gateway;
  }

  /** Waits until all that was put has been taken and nothing is in flight; every account must balance all the while. */
  async settled(gateway: Gateway): Promise<void> {
    await eventually(() => {
      const { sources, retired, balanced, reload } = gateway.status();
      if (!balanced) throw new Error(`accounts do not balance: ${JSON.stringify(gateway.status())}`);
      return (
        [...this.#fed].every((topic) => this.broker.topic(topic).waiting === 0) &&
        reload.leaving.length === 0 &&
        retired.sources.inFlight === 0 &&
        retired.legs.pending === 0 &&
        sources.every(({ counters }) => counters.inFlight === 0)
      );
    });
  }

  #keeper(): ConstructorParameters<typeof Gateway>[1] {
    return {
      put: async (batch) => {
        this.letters.push(...batch);
      },
      wrap: (letter) => jsonEvent(0, { type: 'wrapped', subject: letter.code }),
      close: async () => {},
    };
  }

  #log(): Log {
    const at =
      (level: string) =>
      (fields: object, message: string): void => {
        this.logged.push({ level, message, fields: { ...fields } });
      };
    const log: Log = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => log,
    };
    return log;
  }

  #told<T extends { open: (...args: never[]) => Promise<void>; close(): Promise<void> }>(part: T, name: string): T {
    const open = part.open.bind(part);
    const close = part.close.bind(part);
    part.open = async (...args) => {
      this.story.push(`${name} opens`);
      await open(...args);
    };
    part.close = async () => {
      this.story.push(`${name} closes`);
      await close();
    };
    return part;
  }

  #deafened(source: Source, topic: string): Source {
    const pause = source.pause.bind(source);
    const resume = source.resume.bind(source);
    const open = source.open.bind(source);
    source.open = async (intake, signal) => {
      if (this.of(topic).impossible) throw impossible(topic);
      await open(intake, signal);
    };
    let isPaused = false;
    source.pause = () => {
      isPaused = true;
      void (async () => {
        for (let left = this.of(topic).deafTurns ?? 0; left > 0; left -= 1) await turn();
        if (isPaused) pause();
      })();
    };
    source.resume = () => {
      isPaused = false;
      resume();
    };
    return source;
  }

  #steered(target: Target, topic: string): Target {
    const open = target.open.bind(target);
    const send = target.send.bind(target);
    const of = (): Behaviour => this.of(topic);
    target.open = async (notify, signal) => {
      if (of().impossible) throw impossible(topic);
      if (of().unreachable)
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      await open(notify, signal);
    };
    target.send = async (legs: readonly Leg[], signal) => {
      for (let left = of().turns?.() ?? 1; left > 0; left -= 1) await turn();
      while (of().shut && !signal.aborted) await turn();
      const { down, failing } = of();
      if (!down && !failing) return send(legs, signal);
      const failure: SendResult = {
        status: 'failed',
        code: 'E_TEST',
        message: 'as asked for',
        retryable: true,
        unavailable: down === true,
      };
      return legs.map(() => failure);
    };
    return target;
  }
}

function impossible(topic: string): FairleadError {
  return new FairleadError({ code: 'E_TEST_IMPOSSIBLE', message: `${topic} can never open` });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** One source, one target, one route; `over` replaces sections. */
export function document(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: 1,
    name: 'mesh',
    brokers: { here: { type: 'memory' } },
    sources: { in: { broker: 'here', topic: 'in' } },
    targets: { out: { broker: 'here', topic: 'out' } },
    routes: [route('all', ['in'], ['out'])],
    drain: { deadline: '5s' },
    ...over,
  };
}

export function route(name: string, from: string[], to: string[], over: object = {}): object {
  return { name, from, to, delivery: { deadLetter: { store: true } }, ...over };
}

export function config(document: object): GatewayConfig {
  return parseConfig(stringify(document));
}

/** Events that came twice, and events of a key that came before an earlier one. */
export function faults(events: readonly MeshEvent[]): { duplicates: number; inversions: number } {
  const seen = new Set<string>();
  const last = new Map<unknown, number>();
  let inversions = 0;
  for (const event of events) {
    seen.add(event.id);
    const key = event.extensions['partitionkey'];
    const sequence = Number(event.extensions['sequence']);
    if (sequence < (last.get(key) ?? -1)) inversions += 1;
    last.set(key, sequence);
  }
  return { duplicates: events.length - seen.size, inversions };
}
