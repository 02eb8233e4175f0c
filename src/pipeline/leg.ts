import type { LegCounters } from '../core/counters.ts';
import type { DeliveryMeta } from '../core/delivery.ts';
import type { MeshEvent } from '../core/event.ts';
import type { DeliverySettings } from '../core/routing.ts';
import type { Leg, SendResult } from '../core/target.ts';
import type { AttemptTrace } from '../core/tracer.ts';
import type { BatchTracker } from './tracker.ts';

/** The lane of a leg, as far as a leg's owner needs it. */
export interface LegLane {
  readonly name: string;
  /** True once a reload has taken it out: nothing more is added. */
  readonly leaving: boolean;
  /** True while it takes in what comes, but should be given nothing. */
  readonly full: boolean;
  add(leg: PendingLeg): void;
  kick(): void;
  stop(): void;
}

/** One entry of a route's `to`: where its legs go and how. */
export interface LegSpec {
  readonly route: string;
  readonly lane: LegLane;
  readonly settings: DeliverySettings;
  readonly counters: LegCounters;
  /** Of a choice: what the route says for whichever target is chosen, ahead of that target's own settings. */
  readonly overrides?: Partial<DeliverySettings> | undefined;
}

export type Failure = Exclude<SendResult, { status: 'confirmed' }>;

/** Of a leg that its target said nothing of. */
export const NO_RESULT: Failure = {
  status: 'unknown',
  code: 'E_TARGET_CONTRACT',
  message: 'the target gave no result',
  retryable: true,
};

/** Why a leg ends without a confirmation. */
export interface Cause {
  readonly code: string;
  readonly message: string;
}

/** Why a leg ends whose target is not in the configuration any more. */
export function targetRemoved(target: string): Cause {
  return { code: 'E_TARGET_REMOVED', message: `target "${target}" was removed before it could be sent` };
}

/** What a lane owes its owner: exactly one call per leg. */
export interface LegOwner {
  done(leg: PendingLeg, now: number): void;
  /** The leg cannot be delivered and needs its dead letter. */
  failed(leg: PendingLeg, cause: Cause, now: number): void;
  /** The leg was not sent because its delivery has gone back to the broker. */
  withdrawn(leg: PendingLeg): void;
}

/** Who bound a leg to a target for one attempt. The lane makes exactly one call per attempt, and retries none itself. */
export interface AttemptOwner {
  confirmed(attempt: PendingLeg, now: number): void;
  /** @param free The target is held to be unavailable, so that this counts as no attempt. */
  failed(attempt: PendingLeg, failure: Failure, free: boolean, now: number): void;
  /** It was not sent. */
  returned(attempt: PendingLeg, now: number): void;
}

/** The end of a key's chain; undefined while nothing of the key waits or is under way. */
export interface KeySlot {
  tail: PendingLeg | undefined;
}

/** A leg that is sent as several events: it ends when they all have. */
export interface Whole {
  /** With the event as it came; in no lane. */
  readonly leg: PendingLeg;
  readonly count: number;
  open: number;
  failed: number;
  /** Of the first part that failed. */
  cause: Cause | undefined;
  withdrawn: boolean;
}

/** A leg in a lane. Legs of one key form a chain through `next`; only the first of a chain is ready or under way. */
export class PendingLeg implements Leg {
  event: MeshEvent;
  readonly meta: DeliveryMeta;
  readonly key: string | undefined;
  readonly spec: LegSpec;
  readonly tracker: BatchTracker;
  readonly index: number;
  bytes: number;
  /** Monotonic milliseconds of the receipt. */
  readonly receivedAt: number;
  attempt = 1;
  ended = false;
  /** Part of a send that is under way. */
  taken = false;
  next: PendingLeg | undefined = undefined;
  slot: KeySlot | undefined = undefined;
  /** Of the send that is under way, where it is traced. */
  trace: AttemptTrace | undefined = undefined;
  /** Set on the parts of a leg that was split. */
  whole: Whole | undefined = undefined;
  /** Set on what is one attempt at a leg that waits elsewhere. */
  readonly attemptOf: AttemptOwner | undefined;

  constructor(
    event: MeshEvent,
    meta: DeliveryMeta,
    key: string | undefined,
    spec: LegSpec,
    tracker: BatchTracker,
    index: number,
    bytes: number,
    receivedAt: number,
    attemptOf?: AttemptOwner,
  ) {
    this.event = event;
    this.meta = meta;
    this.key = key;
    this.spec = spec;
    this.tracker = tracker;
    this.index = index;
    this.bytes = bytes;
    this.receivedAt = receivedAt;
    this.attemptOf = attemptOf;
  }

  /** From now on the leg carries another event. Only before it enters its lane. */
  become(event: MeshEvent): void {
    this.event = event;
    this.bytes = event.bytes;
  }

  get route(): string {
    return this.spec.route;
  }
}
