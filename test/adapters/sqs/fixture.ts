import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { AdapterContext } from '../../../src/adapters/spec.ts';
import { SqsBroker } from '../../../src/adapters/sqs/client.ts';
import {
  brokerSchema,
  type SqsBrokerConfig,
  type SqsSourceConfig,
  type SqsTargetConfig,
  sourceSchema,
  targetSchema,
} from '../../../src/adapters/sqs/config.ts';
import { SqsSource } from '../../../src/adapters/sqs/source.ts';
import { SqsTarget } from '../../../src/adapters/sqs/target.ts';
import { encodeJson } from '../../../src/cloudevents/json.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { testContext } from '../../setup/context.ts';
import { eventually } from '../../setup/eventually.ts';

export const context: AdapterContext = testContext('test');

/** A fresh object each time: the SDK writes into the one it is given. */
const credentials = (): { accessKeyId: string; secretAccessKey: string } => ({
  accessKeyId: 'test',
  secretAccessKey: 'test',
});

export function brokerConfig(over: Record<string, unknown> = {}): SqsBrokerConfig {
  return brokerSchema.parse({
    endpoint: brokerUrl('SQS'),
    region: 'us-east-1',
    credentials: credentials(),
    ...over,
  }) as SqsBrokerConfig;
}

export function sourceConfig(queue: string, over: Record<string, unknown> = {}): SqsSourceConfig {
  const { as, maxEventBytes = 2 ** 20, ...own } = over;
  const parsed = sourceSchema.parse({ queue, waitTime: '1s', ...own });
  return { ...parsed, as, maxEventBytes } as SqsSourceConfig;
}

export function targetConfig(queue: string, over: Record<string, unknown> = {}): SqsTargetConfig {
  const { encoding, headers = 'pass', ...own } = over;
  return { ...targetSchema.parse({ queue, ...own }), encoding, headers } as SqsTargetConfig;
}

/** A fresh queue with a raw client beside the adapter. */
export class QueueFixture {
  readonly name: string;
  readonly url: string;
  readonly fifo: boolean;
  readonly client: SQSClient;
  readonly broker: SqsBroker = new SqsBroker(brokerConfig());

  private constructor(name: string, url: string, client: SQSClient) {
    this.name = name;
    this.url = url;
    this.fifo = name.endsWith('.fifo');
    this.client = client;
  }

  static async create(fifo: boolean, attributes: Record<string, string> = {}): Promise<QueueFixture> {
    const client = new SQSClient({
      endpoint: brokerUrl('SQS'),
      region: 'us-east-1',
      credentials: credentials(),
      md5: false,
    });
    const name = `t-${randomUUID()}${fifo ? '.fifo' : ''}`;
    const Attributes = { ...attributes, ...(fifo ? { FifoQueue: 'true' } : {}) };
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    return new QueueFixture(name, QueueUrl as string, client);
  }

  source(over: Record<string, unknown> = {}): SqsSource {
    return new SqsSource(this.broker, sourceConfig(this.name, over), context);
  }

  target(over: Record<string, unknown> = {}): SqsTarget {
    return new SqsTarget(this.broker, targetConfig(this.name, over), context);
  }

  /** Structured events, in order; on FIFO one group for each partition key, else for each event. */
  async produce(events: readonly MeshEvent[]): Promise<void> {
    await this.put(
      events.map((event) => ({
        Id: '',
        MessageBody: encodeJson(event).toString('utf8'),
        ...(this.fifo
          ? { MessageGroupId: String(event.extensions['partitionkey'] ?? event.id), MessageDeduplicationId: event.id }
          : {}),
      })),
    );
  }

  async put(entries: readonly SendMessageBatchRequestEntry[]): Promise<void> {
    for (let at = 0; at < entries.length; at += 10) {
      const Entries = entries.slice(at, at + 10).map((entry, index) => ({ ...entry, Id: String(index) }));
      const answer = await this.client.send(new SendMessageBatchCommand({ QueueUrl: this.url, Entries }));
      if ((answer.Failed ?? []).length > 0) throw new Error(JSON.stringify(answer.Failed));
    }
  }

  /** Takes messages off the queue until there are `count`. */
  async take(count: number): Promise<Message[]> {
    const taken: Message[] = [];
    await eventually(async () => {
      const { Messages = [] } = await this.client.send(
        new ReceiveMessageCommand({
          QueueUrl: this.url,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: 1,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
        }),
      );
      taken.push(...Messages);
      if (Messages.length > 0) {
        const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
        await this.client.send(new DeleteMessageBatchCommand({ QueueUrl: this.url, Entries }));
      }
      return taken.length >= count;
    });
    return taken;
  }

  async teardown(): Promise<void> {
    await this.client.send(new DeleteQueueCommand({ QueueUrl: this.url }));
    this.client.destroy();
    await this.broker.close();
  }
}
