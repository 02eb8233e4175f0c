import { randomUUID } from 'node:crypto';

/** How often sensors publish, in ms. */
const TICK_MS = 100;
const LINES = 8;
/** One event in this many is of a type that no route takes, so that there is something in the dead-letter store. */
const UNROUTED_EVERY = 500;
const TOO_HOT = 90;

export interface TrafficOptions {
  /** Sensor events per second. */
  readonly rate: number;
  readonly publish: (topic: string, payload: string) => Promise<void>;
  /** Where an order is posted every second; undefined: nowhere. */
  readonly postTo: string | undefined;
  /** Hears of what could not be published or posted. */
  readonly failed: (what: string, error: unknown) => void;
}

/** Simulated plant sensors and an ordering system. The returned function stops them and waits for what is under way. */
export function startTraffic(options: TrafficOptions): () => Promise<void> {
  const underWay = new Set<Promise<void>>();
  const track = (what: string, work: Promise<void>): void => {
    const tracked = work.catch((error: unknown) => options.failed(what, error)).finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };
  let owed = 0;
  let made = 0;
  const sensors = setInterval(() => {
    owed += (options.rate * TICK_MS) / 1_000;
    for (; owed >= 1; owed -= 1) {
      made += 1;
      const { topic, payload } = reading(made);
      track('sensor', options.publish(topic, payload));
    }
  }, TICK_MS);
  const orders = setInterval(() => {
    if (options.postTo !== undefined) track('order', post(options.postTo));
  }, 1_000);
  return async () => {
    clearInterval(sensors);
    clearInterval(orders);
    await Promise.all(underWay);
  };
}

/** Reading number `n`: temperatures and vibrations in turn; a hot one is an alarm. */
function reading(n: number): { topic: string; payload: string } {
  const line = `line-${(n % LINES) + 1}`;
  if (n % UNROUTED_EVERY === 0) return { topic: `plant/${line}/selftest`, payload: '{"passed":true}' };
  if (n % 2 === 0) {
    return { topic: `plant/${line}/vibration`, payload: JSON.stringify({ n, mmPerSecond: 1 + (n % 7) / 10 }) };
  }
  const celsius = Math.round((60 + 32 * Math.abs(Math.sin(n / 50))) * 10) / 10;
  const kind = celsius > TOO_HOT ? 'alarm' : 'temperature';
  return { topic: `plant/${line}/${kind}`, payload: JSON.stringify({ n, celsius }) };
}

async function post(url: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'ce-specversion': '1.0',
      'ce-id': randomUUID(),
      'ce-source': '/demo/orders',
      'ce-type': 'com.example.order',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ item: 'bearing', quantity: 4 }),
    signal: AbortSignal.timeout(10_000),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}
