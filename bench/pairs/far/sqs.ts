import { GetQueueAttributesCommand, GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Place } from '../../../test/setup/places/place.ts';
import type { FarEnd } from './far.ts';

const READERS = 8;
const DEPTH = 'ApproximateNumberOfMessages';

/** Counts by the queue's own number; reads without deleting, invisible for longer than a round lasts. */
export async function sqsFar({ broker, target }: Place): Promise<FarEnd> {
  // The client writes into the credentials it is given, which are the gateway's configuration too.
  const { endpoint, region, credentials } = structuredClone(broker) as {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
  };
  const sqs = new SQSClient({ endpoint, region, credentials, md5: false });
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: target['queue'] as string }));
  const abort = new AbortController();
  const reading: Promise<void>[] = [];
  return {
    async depth() {
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [DEPTH] }));
      return Number(Attributes?.[DEPTH]);
    },
    async listen(onPayload) {
      const receive = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2, VisibilityTimeout: 3_600 };
      const loop = async (): Promise<void> => {
        while (!abort.signal.aborted) {
          const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receive), { abortSignal: abort.signal });
          for (const { Body = '' } of Messages) onPayload(Body);
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
      sqs.destroy();
    },
  };
}
