import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { decodeJson, encodeJson } from '../../../src/cloudevents/json.ts';
import { unique } from '../unique.ts';
import type { Place } from './place.ts';

const READERS = 4;

export async function sqsPlace(url: string): Promise<Place> {
  const client = new SQSClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    md5: false,
  });
  const name = unique('place');
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name }));
  const abort = new AbortController();
  const reading: Promise<void>[] = [];
  return {
    kind: 'sqs',
    broker: {
      type: 'sqs',
      endpoint: url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
    source: { queue: name, waitTime: '2s' },
    target: { queue: name },
    // There is no binary binding: a producer on SQS writes structured CloudEvents.
    async produce(events) {
      const calls: Promise<void>[] = [];
      for (let at = 0; at < events.length; at += 10) {
        const entries = events
          .slice(at, at + 10)
          .map((event, n) => ({ Id: String(n), MessageBody: encodeJson(event).toString() }));
        calls.push(
          client.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries })).then(({ Failed = [] }) => {
            if (Failed.length > 0) throw new Error(`SQS refused ${JSON.stringify(Failed[0])}`);
          }),
        );
        if (calls.length === 8) await Promise.all(calls.splice(0));
      }
      await Promise.all(calls);
    },
    async read(onEvent) {
      const loop = async (): Promise<void> => {
        while (!abort.signal.aborted) {
          const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 });
          const { Messages = [] } = await client.send(receive, { abortSignal: abort.signal });
          if (Messages.length === 0) continue;
          for (const { Body } of Messages) onEvent(decodeJson(Buffer.from(Body ?? '')));
          const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
          await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
        }
      };
      for (let n = 0; n < READERS; n += 1) {
        reading.push(
          loop().catch((error: unknown) => {
            if (!abort.signal.aborted) throw error;
          }),
        );
      }
    },
    async close() {
      abort.abort();
      await Promise.all(reading);
      await client.send(new DeleteQueueCommand({ QueueUrl }));
      client.destroy();
    },
  };
}
