import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { FairleadError } from '../../core/errors.ts';
import type { BrokerHandle } from '../spec.ts';
import type { SqsBrokerConfig } from './config.ts';
import { fromCall } from './errors.ts';

/** What a queue says about itself; empty where the credentials may not read its attributes. */
export interface Queue {
  readonly url: string;
  /** The name without the path of the URL. */
  readonly name: string;
  readonly fifo: boolean;
  readonly arn: string | undefined;
  readonly attributes: Readonly<Partial<Record<string, string>>>;
}

/**
 * Makes the clients of one broker. Sources and targets get their own, and a source two: a long poll holds its socket for
 * 20 s, and behind `maxSockets` the SDK queues requests silently.
 */
export class SqsBroker implements BrokerHandle {
  readonly #config: SqsBrokerConfig;
  readonly #clients = new Set<SQSClient>();

  constructor(config: SqsBrokerConfig) {
    this.#config = config;
  }

  /** A client for requests that last up to `extraMs` longer than the configured bound, on at most `maxSockets` sockets. */
  client(maxSockets: number, extraMs = 0): SQSClient {
    const { region, endpoint, credentials, connectTimeout, requestTimeout } = this.#config;
    // with an emulator nobody configures a region, yet the SDK refuses to sign without one
    const signing = region ?? (endpoint === undefined ? undefined : (process.env['AWS_REGION'] ?? 'us-east-1'));
    const config: SQSClientConfig = {
      ...(signing === undefined ? {} : { region: signing }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials: staticCredentials(credentials) }),
      useQueueUrlAsEndpoint: false,
      maxAttempts: 1,
      // one bad checksum would fail a whole receive, whose events then come again for ever
      md5: false,
      requestHandler: {
        connectionTimeout: connectTimeout,
        requestTimeout: requestTimeout + extraMs,
        // without this the SDK only writes a warning when the bound is reached
        throwOnRequestTimeout: true,
        httpAgent: { keepAlive: true, maxSockets },
        httpsAgent: { keepAlive: true, maxSockets },
      },
    };
    const client = new SQSClient(config);
    this.#clients.add(client);
    return client;
  }

  release(client: SQSClient): void {
    this.#clients.delete(client);
    client.destroy();
  }

  async close(): Promise<void> {
    for (const client of [...this.#clients]) this.release(client);
  }
}

function staticCredentials(from: NonNullable<SqsBrokerConfig['credentials']>): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  const { accessKeyId, secretAccessKey, sessionToken } = from;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** Finds the queue by name or URL and reads its attributes. Throws the coded error of {@link fromCall}. */
export async function findQueue(client: SQSClient, queue: string, signal: AbortSignal): Promise<Queue> {
  await checkRegion(client);
  const url = queue.includes('://') ? queue : await queueUrl(client, queue, signal);
  const name = url.slice(url.lastIndexOf('/') + 1);
  const attributes = await readAttributes(client, url, signal);
  return { url, name, fifo: name.endsWith('.fifo'), arn: attributes['QueueArn'], attributes };
}

/** Without a region nothing can be signed, and asking again does not help. */
async function checkRegion(client: SQSClient): Promise<void> {
  try {
    await client.config.region();
  } catch (cause) {
    const message = 'no AWS region is known: set `region` on the broker, or AWS_REGION';
    throw new FairleadError({ code: 'E_SQS_REGION', message, cause });
  }
}

async function queueUrl(client: SQSClient, name: string, abortSignal: AbortSignal): Promise<string> {
  try {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: name }), { abortSignal });
    return QueueUrl as string;
  } catch (error) {
    throw fromCall(error, `cannot find the queue "${name}"`);
  }
}

async function readAttributes(
  client: SQSClient,
  url: string,
  abortSignal: AbortSignal,
): Promise<Readonly<Partial<Record<string, string>>>> {
  try {
    const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
    return (await client.send(command, { abortSignal })).Attributes ?? {};
  } catch (error) {
    const failure = fromCall(error, `cannot read the attributes of ${url}`);
    // a policy may well allow sending or receiving alone; the attributes are of use, not needed
    if (failure.code === 'E_SQS_ACCESS_DENIED') return {};
    throw failure;
  }
}

/** Events that wait in the queue (approximately, as SQS says), or undefined where that cannot be known now. */
export async function waiting(client: SQSClient, url: string): Promise<number | undefined> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages'] });
  try {
    const count = (await client.send(command)).Attributes?.['ApproximateNumberOfMessages'];
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined; // the poll or the send that fails for the same reason says why in health
  }
}
