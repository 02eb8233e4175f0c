import { type BrokerName, type Brokers, startBrokers } from '../../test/brokers/index.mjs';
import { HEALTHY, type LinkFaults } from '../../test/setup/fault-link.ts';
import { FaultProxy } from '../../test/setup/fault-proxy.ts';
import { createPlace, freePort } from '../../test/setup/places/index.ts';
import type { Place } from '../../test/setup/places/place.ts';

export const LIVE_KINDS = ['rabbitmq', 'kafka', 'mqtt', 'sqs'] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

/** What a link does on a good day: the targets are unlike in distance, and none of them is boundless. */
const USUAL: Readonly<Record<LiveKind, { readonly latencyMs: number; readonly bytesPerSecond: number }>> = {
  rabbitmq: { latencyMs: 2, bytesPerSecond: 400_000 },
  kafka: { latencyMs: 5, bytesPerSecond: 400_000 },
  mqtt: { latencyMs: 8, bytesPerSecond: 300_000 },
  sqs: { latencyMs: 12, bytesPerSecond: 500_000 },
};

/** What befalls the link of a target in a phase. */
export interface Trouble {
  /** Added to every answer. */
  readonly slowMs?: number;
  /** Share of the usual bandwidth that is left. */
  readonly bandwidth?: number;
  readonly blackHole?: boolean;
}

/** A target on a real broker behind a fault proxy of its own. The bench reads what arrives past the proxy. */
export class LiveTarget {
  readonly kind: LiveKind;
  readonly place: Place;
  /** The entry of `brokers`, by way of the proxy. */
  readonly broker: Record<string, unknown>;
  readonly #proxy: FaultProxy;

  constructor(kind: LiveKind, place: Place, proxy: FaultProxy) {
    this.kind = kind;
    this.place = place;
    this.#proxy = proxy;
    this.broker = brokerEntry(kind, place.broker, proxy);
  }

  /** Bytes that went to the broker so far. */
  get passed(): number {
    return this.#proxy.counts.up.passed;
  }

  /** From now on the link suffers this and nothing else. Connections that a black hole has bereft of bytes are reset. */
  suffer(trouble: Trouble): void {
    const { latencyMs, bytesPerSecond } = USUAL[this.kind];
    const { slowMs = 0, bandwidth = 1, blackHole = false } = trouble;
    const down: Partial<LinkFaults> = { latencyMs: latencyMs + slowMs, jitterMs: latencyMs / 2 + slowMs / 4 };
    this.#proxy.set('down', { ...HEALTHY, ...down, blackHole });
    this.#proxy.set('up', { ...HEALTHY, bytesPerSecond: bytesPerSecond * bandwidth, blackHole });
    if (!blackHole) this.#proxy.reset('dead');
  }

  async close(): Promise<void> {
    await this.place.close();
    await this.#proxy.close();
  }
}

/** The brokers of the bench, which stand through all of its blocks. */
export interface Stand {
  readonly targets: readonly LiveTarget[];
  close(): Promise<void>;
}

const NAMES: Readonly<Record<LiveKind, BrokerName>> = {
  rabbitmq: 'rabbitmq',
  kafka: 'kafka',
  mqtt: 'mosquitto',
  sqs: 'elasticmq',
};

/**
 * Kafka is always started here, since clients go to the address that it tells them: it has a second listener that tells the
 * proxy's. The others may be named by `FAIRLEAD_TEST_…_URL`.
 */
export async function openStand(kinds: readonly LiveKind[], log: (line: string) => void): Promise<Stand> {
  const inner = await freePort();
  const beforeKafka = await FaultProxy.start({ host: '127.0.0.1', port: inner });
  delete process.env['FAIRLEAD_TEST_KAFKA_URL'];
  const brokers: Brokers = await startBrokers({
    names: kinds.map((kind) => NAMES[kind]),
    log,
    settings: {
      kafka: {
        listeners: `PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller},PROXIED://127.0.0.1:${inner}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:{client},PROXIED://127.0.0.1:${beforeKafka.port}`,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
      },
      elasticmq: { 'messages-storage.enabled': false }, // its disk store ends at about 1,300 events/s
      mosquitto: { persistence: false }, // saving every two seconds would stop it each time
    },
  });
  Object.assign(process.env, brokers.env, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
  const targets: LiveTarget[] = [];
  const close = async (): Promise<void> => {
    for (const target of targets) await target.close();
    await beforeKafka.close();
    await brokers.stop();
  };
  try {
    for (const kind of kinds) {
      const place = await createPlace(kind);
      const proxy = kind === 'kafka' ? beforeKafka : await FaultProxy.before(addressOf(kind, place));
      targets.push(new LiveTarget(kind, place, proxy));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { targets, close };
}

function addressOf(kind: LiveKind, { broker }: Place): string {
  return String(broker[kind === 'sqs' ? 'endpoint' : 'url']);
}

function brokerEntry(kind: LiveKind, broker: Record<string, unknown>, proxy: FaultProxy): Record<string, unknown> {
  const connectTimeout = '1s';
  switch (kind) {
    case 'kafka':
      return { ...broker, brokers: [`${proxy.host}:${proxy.port}`], connectTimeout };
    case 'sqs':
      return { ...broker, endpoint: proxy.through(String(broker['endpoint'])), connectTimeout };
    default:
      return { ...broker, url: proxy.through(String(broker['url'])), connectTimeout };
  }
}
