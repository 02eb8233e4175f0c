import { hash } from 'node:crypto';
import { BATCH } from './batch-queue.ts';
import type { Encoded } from './encode.ts';

/** One leg on its way into a batch call. */
export interface Parcel {
  /** Of the leg in its `send`. */
  readonly index: number;
  /** The lane's key. */
  readonly key: string | undefined;
  readonly message: Encoded;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
}

/** Batch calls that must follow one another; several streams run at once. */
export type Stream = readonly (readonly Parcel[])[];

/** Standard queues keep no order, so every batch is its own stream. */
export function packUnordered(parcels: readonly Parcel[], maxBytes: number): Stream[] {
  return packBatches(parcels, maxBytes, false).map((batch) => [batch]);
}

/**
 * FIFO queues: a message group stays in one stream, and a lane key stands at most once in a batch, because SQS may refuse
 * one entry of a batch and take those after it.
 */
export function packOrdered(parcels: readonly Parcel[], maxBytes: number): Stream[] {
  const groups = new Map<string, Parcel[]>();
  for (const parcel of parcels) {
    const group = groups.get(parcel.groupId ?? '');
    if (group === undefined) groups.set(parcel.groupId ?? '', [parcel]);
    else group.push(parcel);
  }
  const streams: Parcel[][] = Array.from({ length: Math.ceil(groups.size / BATCH) }, () => []);
  let turn = 0;
  for (const group of groups.values()) {
    streams[turn % streams.length]?.push(...group);
    turn += 1;
  }
  return streams.map((stream) =>
    packBatches(
      stream.sort((a, b) => a.index - b.index),
      maxBytes,
      true,
    ),
  );
}

function packBatches(parcels: readonly Parcel[], maxBytes: number, distinctKeys: boolean): Parcel[][] {
  const batches: Parcel[][] = [];
  let rest = parcels;
  while (rest.length > 0) {
    const batch: Parcel[] = [];
    const left: Parcel[] = [];
    const passed = new Set<string>(); // groups with a parcel that stays behind: those after it must stay too
    const keys = new Set<string>();
    let bytes = 0;
    for (const parcel of rest) {
      const { key, groupId = '', message } = parcel;
      const full = batch.length === BATCH || (batch.length > 0 && bytes + message.bytes > maxBytes);
      const behind = distinctKeys && (passed.has(groupId) || (key !== undefined && keys.has(key)));
      if (full || behind) {
        left.push(parcel);
        passed.add(groupId);
        continue;
      }
      batch.push(parcel);
      bytes += message.bytes;
      if (key !== undefined) keys.add(key);
    }
    batches.push(batch);
    rest = left;
  }
  return batches;
}

/** Letters, digits and ASCII punctuation, up to 128 (SendMessage, MessageGroupId and MessageDeduplicationId). */
const ID = /^[\u0021-\u007e]{1,128}$/;

/** The text itself where SQS takes it as an id, else its SHA-256 in hex. */
export function sqsId(text: string): string {
  return ID.test(text) ? text : hash('sha256', text, 'hex');
}

/** The same leg gets the same id when it is sent again; another route or target queue does not share it. */
export function deduplicationId(source: string, id: string, route: string): string {
  return hash('sha256', JSON.stringify([source, id, route]), 'hex');
}
