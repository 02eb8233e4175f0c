import { Checkpoint } from '../../core/checkpoint.ts';

export interface WindowLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/**
 * One partition for as long as it is ours: what was delivered, what is settled, what may be committed. When the partition
 * leaves, {@link live} turns false and settlements that come late are discarded; the next owner begins at the commit.
 */
export class PartitionWindow {
  readonly topic: string;
  readonly partition: number;
  /** Ordering key of records without a key. */
  readonly orderingKey: string;
  live = true;
  /** Whether kafkajs was told to stop fetching this partition. */
  paused = false;
  /** Waits that have not ended, for schemas of records that come next; until then it stays paused. */
  waits = 0;
  readonly #limits: WindowLimits;
  readonly #checkpoint = new Checkpoint();
  #bytes = 0;
  /** Highest offset delivered; refetched ones up to it are in flight already. */
  #highest = -1;
  /** Highest offset seen since the last join. */
  #seen = -1;
  /** Lowest position that the group may begin at, as far as known: the next offset, as Kafka counts. */
  #committed = -1;
  /** Another member may have had the partition in between: no commit before the first fetch tells where the group is. */
  #suspect = false;

  constructor(topic: string, partition: number, limits: WindowLimits) {
    this.topic = topic;
    this.partition = partition;
    this.orderingKey = `p:${partition}`;
    this.#limits = limits;
  }

  /** The group was joined again and the partition is still ours; `gap` where we were out of the group meanwhile. */
  rejoined(gap: boolean): void {
    this.#seen = -1;
    if (gap && this.#highest >= 0) this.#suspect = true;
  }

  /**
   * A fetched batch begins at `first`. False: the log or the group's position went back (topic recreated, offsets reset by
   * an operator), so what we know about the partition is void and a new window must take its place.
   */
  accept(first: number): boolean {
    if (this.#seen >= 0) return first > this.#seen;
    if (this.#committed < 0) this.#committed = first;
    if (first < this.#committed) return false;
    if (this.#suspect) {
      this.#suspect = false;
      if (first > this.#committed) this.#committed = first;
    }
    return true;
  }

  /** Whether an offset is delivered for the first time in this ownership. */
  isNew(offset: number): boolean {
    return offset > this.#highest;
  }

  deliver(offset: number): number {
    this.#highest = offset;
    return this.#checkpoint.deliver(offset);
  }

  /** A fetched batch ends at `last`; offsets after the delivered ones (transaction markers) count as settled. */
  end(last: number, bytes: number): void {
    if (last > this.#seen) this.#seen = last;
    this.#bytes += bytes;
    if (last <= this.#highest) return;
    this.#highest = last;
    this.#checkpoint.settle(this.#checkpoint.deliver(last));
  }

  /** True when the watermark moved. */
  settle(slot: number): boolean {
    return this.#checkpoint.settle(slot);
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** The position to commit, or undefined where the group has it already. */
  get due(): number | undefined {
    const { watermark } = this.#checkpoint;
    if (watermark === undefined || this.#suspect || !this.live) return undefined;
    const next = Number(watermark) + 1;
    return next > this.#committed ? next : undefined;
  }

  committed(position: number): void {
    if (position > this.#committed) this.#committed = position;
  }

  /** The next offset not settled yet, or undefined before the first delivery. */
  get position(): number | undefined {
    const { watermark } = this.#checkpoint;
    if (watermark !== undefined) return Number(watermark) + 1;
    return this.#committed < 0 ? undefined : this.#committed;
  }

  get unsettled(): number {
    return this.#checkpoint.unsettled;
  }

  /** Whether it stands still for schemas. */
  get waiting(): boolean {
    return this.waits > 0;
  }

  get full(): boolean {
    return this.#checkpoint.window >= this.#limits.maxEvents || this.#bytes >= this.#limits.maxBytes;
  }

  /** Half empty: time to fetch again. */
  get roomy(): boolean {
    return this.#checkpoint.window * 2 <= this.#limits.maxEvents && this.#bytes * 2 <= this.#limits.maxBytes;
  }
}
