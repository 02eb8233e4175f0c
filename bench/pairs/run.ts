import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { connectAsync } from 'mqtt';
import type { MeshEvent } from '../../src/core/event.ts';
import { eventually } from '../../test/setup/eventually.ts';
import { createPlace } from '../../test/setup/places/index.ts';
import type { Kind, Place } from '../../test/setup/places/place.ts';
import { type Bridge, type Side, startBridge } from './bridge.ts';
import { modeOf } from './event.ts';
import type { FarEnd } from './far/far.ts';
import { openFarEnd } from './far/index.ts';
import { type Feed, openFeed } from './feed.ts';
import { Poster } from './post.ts';

export type Pair = readonly [from: Kind, to: Kind];

/** One run of one side: fresh places, the far end to look at, and the bridge once it is started. */
export class Run {
  readonly from: Place;
  readonly to: Place;
  readonly far: FarEnd;
  readonly #side: Side;
  #bridge: Bridge | undefined;
  #poster: Poster | undefined;
  #feed: Feed | undefined;

  private constructor(side: Side, from: Place, to: Place, far: FarEnd) {
    this.#side = side;
    this.from = from;
    this.to = to;
    this.far = far;
  }

  static async open(side: Side, [from, to]: Pair): Promise<Run> {
    const near = await createPlace(from);
    if (from === 'mqtt') await session(near, false);
    const place = await createPlace(to);
    return new Run(side, near, place, await openFarEnd(place));
  }

  get bridge(): Bridge {
    if (this.#bridge === undefined) throw new Error('the bridge is not started');
    return this.#bridge;
  }

  /** Starts the bridge; over HTTP, waits until it takes connections. */
  async start(): Promise<void> {
    this.#bridge = startBridge(this.#side, this.from, this.to);
    if (this.from.kind !== 'http') return;
    const { port } = this.from.broker['listen'] as { port: number };
    this.#poster = await eventually(() => Poster.open(port), { timeoutMs: 30_000 });
  }

  /** Resolves when the broker has all of them or, over HTTP, the bridge has confirmed them. */
  produce(events: readonly MeshEvent[]): Promise<void> {
    return this.#poster?.post(events) ?? this.from.produce(events, modeOf(this.from.kind));
  }

  async feed(): Promise<Feed> {
    const poster = this.#poster;
    this.#feed ??=
      poster === undefined ? await openFeed(this.from) : { send: (all) => poster.post(all), close: async () => {} };
    return this.#feed;
  }

  async close(): Promise<void> {
    this.#poster?.close();
    await this.#feed?.close();
    this.#bridge?.cleanup();
    await this.far.close();
    for (const place of [this.from, this.to]) {
      if (place.kind === 'kafka') await deleteTopic(place);
      if (place === this.from && place.kind === 'mqtt') await session(place, true);
      await place.close();
    }
  }
}

/** Polls until `done` is true; fails when nothing has moved for a minute or the bridge has ended. */
export async function progress(bridge: Bridge, everyMs: number, count: () => Promise<number>, enough: number) {
  let last = -1;
  for (let movedAt = performance.now(); ; ) {
    const now = await count();
    if (now >= enough) return;
    bridge.assertRunning();
    if (now !== last) movedAt = performance.now();
    else if (performance.now() - movedAt > 60_000) throw new Error(`stuck at ${now} of ${enough} events`);
    last = now;
    await sleep(everyMs);
  }
}

/** Makes the session that the bridge will resume, so that the broker keeps what is published before; or ends it. */
async function session({ broker, source }: Place, clean: boolean): Promise<void> {
  const client = await connectAsync(broker['url'] as string, {
    protocolVersion: 5,
    clientId: source['clientId'] as string,
    clean,
    ...(clean ? {} : { properties: { sessionExpiryInterval: 3_600 } }),
  });
  if (!clean) await client.subscribeAsync(source['topic'] as string, { qos: 1 });
  await client.endAsync();
}

async function deleteTopic({ broker, target }: Place): Promise<void> {
  const { Kafka, logLevel } = kafkajs;
  const admin = new Kafka({ brokers: broker['brokers'] as string[], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [target['topic'] as string] });
  await admin.disconnect();
}
