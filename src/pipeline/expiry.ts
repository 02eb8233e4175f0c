import type { LegOwner, PendingLeg } from './leg.ts';

/** True for a leg that is not to be sent any more: its delivery went back to the broker, or its `maxAge` is over. */
export function isOver({ spec, tracker, receivedAt }: PendingLeg, now: number): boolean {
  const { maxAgeMs } = spec.settings;
  return tracker.detached || (maxAgeMs !== undefined && now - receivedAt > maxAgeMs);
}

/** Tells the owner of a leg why it {@link isOver}. */
export function reportOver(leg: PendingLeg, owner: LegOwner, now: number): void {
  if (leg.tracker.detached) {
    owner.withdrawn(leg);
    return;
  }
  const { maxAgeMs } = leg.spec.settings;
  owner.failed(leg, { code: 'E_MAX_AGE', message: `older than maxAge (${maxAgeMs} ms) before it could be sent` }, now);
}
