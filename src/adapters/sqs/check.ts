import type { SQSClient } from '@aws-sdk/client-sqs';
import { FairleadError } from '../../core/errors.ts';
import type { CheckItem } from '../../core/source.ts';
import { findQueue, type Queue } from './client.ts';
import { fromCall } from './errors.ts';

/** What to do about a failure of `fairlead check`, by code. */
const ADVICE: Readonly<Record<string, string>> = {
  E_SQS_QUEUE_MISSING: 'create the queue, or correct queue, region or account',
  E_SQS_ACCESS_DENIED: 'allow sqs:GetQueueUrl and what the component does (sending, or receiving and deleting)',
  E_SQS_CREDENTIALS: 'correct the credentials of the broker, or what the SDK finds (environment, profile, role)',
  E_SQS_UNREACHABLE: 'check endpoint, region and network',
};

/** Whether the queue can be found, and what `inspect` has to say about it. */
export async function checkQueue(
  client: SQSClient,
  name: string,
  inspect: (queue: Queue) => readonly CheckItem[],
): Promise<CheckItem[]> {
  const what = `SQS queue "${name}"`;
  try {
    const queue = await findQueue(client, name, AbortSignal.timeout(30_000));
    return [{ what, ok: true, message: queue.arn ?? queue.url }, ...inspect(queue)];
  } catch (error) {
    const failure = error instanceof FairleadError ? error : fromCall(error, what);
    const advice = ADVICE[failure.code];
    const message = advice === undefined ? failure.message : `${failure.message} (${advice})`;
    return [{ what, ok: false, code: failure.code, message }];
  }
}

/** A queue without a redrive policy hands a poison event out for ever; that is worth a line, not a failure. */
export function inspectSource(queue: Queue): readonly CheckItem[] {
  const what = `redrive policy of "${queue.name}"`;
  if (queue.arn === undefined) return [{ what, ok: true, message: 'the credentials may not read it' }];
  const policy = queue.attributes['RedrivePolicy'];
  return [{ what, ok: true, message: policy ?? 'none: what is rejected comes again until its retention ends' }];
}
