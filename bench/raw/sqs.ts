import {
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { envelope } from './envelope.ts';
import { keyIn } from './key.ts';
import type { RawBatch, RawEnd, RawEvent, RawHeaders, RawSource, RawTarget } from './types.ts';
import { Waiting } from './waiting.ts';

const BATCH = 10;
const POLLERS = 4;
const CALLS = 8;
const MAX_IN_FLIGHT = 1_000;

async function open(end: RawEnd): Promise<{ sqs: SQSClient; QueueUrl: string }> {
  const { endpoint, region, credentials } = end.broker as { endpoint: string; region: string; credentials: never };
  const httpAgent = { keepAlive: true, maxSockets: 64 };
  const sqs = new SQSClient({
    endpoint,
    region,
    credentials,
    md5: false,
    maxAttempts: 1,
    requestHandler: { httpAgent },
  });
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: end.at['queue'] as string }));
  return { sqs, QueueUrl: QueueUrl as string };
}

/** Four receives under way, and deletes of ten beside them. */
export async function sqsSource(end: RawEnd, onBatch: (batch: RawBatch) => void): Promise<RawSource> {
  const { sqs, QueueUrl } = await open(end);
  const abort = new AbortController();
  let handles: string[] = [];
  let deletes = 0;
  let inFlight = 0;
  let parked: (() => void)[] = [];
  const erase = (): void => {
    while (deletes < CALLS && handles.length > 0 && (handles.length >= BATCH || deletes === 0)) {
      const some = handles.slice(0, BATCH);
      handles = handles.slice(BATCH);
      deletes += 1;
      const Entries = some.map((ReceiptHandle, n) => ({ Id: String(n), ReceiptHandle }));
      void sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })).then(({ Failed = [] }) => {
        if (Failed.length > 0) throw new Error(`not deleted: ${Failed[0]?.Code}`);
        deletes -= 1;
        inFlight -= some.length;
        for (const resume of parked.splice(0)) resume();
        erase();
      });
    }
  };
  let scheduled = false;
  const confirmed = (handle: string): void => {
    handles.push(handle);
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      erase();
    });
  };
  const poll = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      if (inFlight + BATCH > MAX_IN_FLIGHT) {
        await new Promise<void>((resolve) => parked.push(resolve));
        continue;
      }
      const receive = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: BATCH,
        WaitTimeSeconds: 2,
        MessageAttributeNames: ['All'],
      });
      const { Messages = [] } = await sqs.send(receive, { abortSignal: abort.signal });
      if (Messages.length === 0) continue;
      inFlight += Messages.length;
      onBatch({
        events: Messages.map(eventOf),
        confirmed: (index) => confirmed(Messages[index]?.ReceiptHandle as string),
      });
    }
  };
  const polling = Array.from({ length: POLLERS }, () =>
    poll().catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    }),
  );
  return {
    async close() {
      abort.abort();
      for (const resume of parked) resume();
      parked = [];
      await Promise.all(polling);
      while (deletes > 0 || handles.length > 0) {
        erase();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      sqs.destroy();
    },
  };
}

function eventOf({ Body = '', MessageAttributes }: Message): RawEvent {
  const payload = Buffer.from(Body);
  let headers: Record<string, string> | undefined;
  for (const name of Object.keys(MessageAttributes ?? {})) {
    headers ??= {};
    headers[name] = MessageAttributes?.[name]?.StringValue ?? '';
  }
  return { payload, headers: headers as RawHeaders | undefined, contentType: undefined, key: keyIn(payload) };
}

/** Calls of ten, eight at once; while they are under way the next ones fill up. Headers go into the body. */
export async function sqsTarget(end: RawEnd): Promise<RawTarget> {
  const { sqs, QueueUrl } = await open(end);
  const waiting = new Waiting();
  let calls = 0;
  const pump = (): void => {
    while (calls < CALLS && waiting.count > 0 && (waiting.count >= BATCH || calls === 0)) {
      const Entries: { Id: string; MessageBody: string }[] = [];
      const batches: RawBatch[] = [];
      const indices: number[] = [];
      waiting.take(BATCH, (event, batch, index) => {
        const { payload } = envelope(event);
        Entries.push({ Id: String(Entries.length), MessageBody: payload.toString() });
        batches.push(batch);
        indices.push(index);
      });
      calls += 1;
      void sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })).then(({ Failed = [] }) => {
        if (Failed.length > 0) throw new Error(`not sent: ${Failed[0]?.Code}`);
        calls -= 1;
        for (let n = 0; n < batches.length; n += 1) batches[n]?.confirmed(indices[n] as number);
        pump();
      });
    }
  };
  return {
    send(batch) {
      waiting.push(batch);
      pump();
    },
    async close() {
      // The far end may have an event before the answer to its call is here.
      while (calls > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      sqs.destroy();
    },
  };
}
