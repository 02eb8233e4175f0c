import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Place } from '../../test/setup/places/place.ts';
import type { FarEnd } from '../pairs/far/far.ts';
import { openFarEnd } from '../pairs/far/index.ts';
import { eventIn } from './schedule.ts';

const READERS = 8;

/** What has arrived at the targets in the present block, read past the proxies. */
export class Arrivals {
  readonly #far: readonly FarEnd[];
  readonly #queues: readonly Queue[];
  #block = -1;
  #counts = new Uint16Array(0);

  private constructor(far: readonly FarEnd[], queues: readonly Queue[]) {
    this.#far = far;
    this.#queues = queues;
  }

  /** A queue on SQS is read at the end of a block: polling it all the while would cost more than the gateway does. */
  static async open(places: readonly Place[]): Promise<Arrivals> {
    const pushing = places.filter(({ kind }) => kind !== 'sqs');
    const far = await Promise.all(pushing.map(openFarEnd));
    const queues = await Promise.all(places.filter(({ kind }) => kind === 'sqs').map(openQueue));
    const arrivals = new Arrivals(far, queues);
    for (const end of far) await end.listen((payload) => arrivals.#see(payload));
    return arrivals;
  }

  /** From now on only events of this block count. */
  expect(block: number, events: number): void {
    this.#block = block;
    this.#counts = new Uint16Array(events);
  }

  /** Reads what waits to be read. */
  async drain(): Promise<void> {
    for (const queue of this.#queues) await queue.drain((payload) => this.#see(payload));
  }

  /** How often an event has arrived. */
  of(n: number): number {
    return this.#counts[n] ?? 0;
  }

  async close(): Promise<void> {
    for (const end of this.#far) await end.close();
    for (const queue of this.#queues) queue.close();
  }

  #see(payload: Buffer | string): void {
    const { block, n } = eventIn(payload);
    if (block === this.#block && n < this.#counts.length) this.#counts[n] = this.of(n) + 1;
  }
}

interface Queue {
  drain(onPayload: (payload: string) => void): Promise<void>;
  close(): void;
}

async function openQueue({ broker, target }: Place): Promise<Queue> {
  // The client writes into the credentials it is given, which are the gateway's configuration too.
  const { endpoint, region, credentials } = structuredClone(broker) as {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
  };
  const sqs = new SQSClient({ endpoint, region, credentials, md5: false });
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: target['queue'] as string }));
  const receive = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0, VisibilityTimeout: 36_000 };
  return {
    async drain(onPayload) {
      const loop = async (): Promise<void> => {
        for (;;) {
          const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receive));
          for (const { Body = '' } of Messages) onPayload(Body);
          if (Messages.length === 0) return;
        }
      };
      await Promise.all(Array.from({ length: READERS }, loop));
    },
    close: () => sqs.destroy(),
  };
}
