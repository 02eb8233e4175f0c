/** What to send now: one acknowledgement for everything up to a tag, and tags one by one. */
export interface AckFrames {
  readonly upTo: number | undefined;
  readonly each: readonly number[];
}

const NOTHING: readonly number[] = [];

/**
 * The unsettled delivery tags of one channel, and the acknowledgements that wait to be sent. Tags below the lowest unsettled
 * one go out as a single multiple-ack; those above it would drag the unsettled along, so they go one by one, a little later,
 * in case the gap closes first. Memory is bounded by the prefetch window, however far the tags have run on.
 */
export class AckWindow {
  /** In the order of delivery, so the first is the lowest. */
  readonly #open = new Set<number>();
  #acked: number[] = [];

  deliver(tag: number): void {
    this.#open.add(tag);
  }

  /** Notes an acknowledgement; false where the tag is not open (settled twice, or never delivered). */
  ack(tag: number): boolean {
    if (!this.#open.delete(tag)) return false;
    this.#acked.push(tag);
    return true;
  }

  /** Forgets a tag that is rejected on its own; false where it is not open. */
  drop(tag: number): boolean {
    return this.#open.delete(tag);
  }

  get unsettled(): number {
    return this.#open.size;
  }

  /** Acknowledgements not taken yet. */
  get waiting(): number {
    return this.#acked.length;
  }

  /** Takes what may be sent; with `all` also the tags above the lowest unsettled one. */
  take(all: boolean): AckFrames {
    const acked = this.#acked;
    if (acked.length === 0) return { upTo: undefined, each: NOTHING };
    const lowest = this.#lowest();
    // The tag of a multiple-ack must itself be outstanding: an acknowledged or rejected one is unknown to the broker (406).
    let upTo: number | undefined;
    const above: number[] = [];
    for (const tag of acked) {
      if (tag > lowest) above.push(tag);
      else if (upTo === undefined || tag > upTo) upTo = tag;
    }
    this.#acked = all ? [] : above;
    return { upTo, each: all ? above : NOTHING };
  }

  #lowest(): number {
    for (const tag of this.#open) return tag;
    return Number.POSITIVE_INFINITY;
  }
}
