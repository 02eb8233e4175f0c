/** What has changed at each target, counted: whoever has computed something from it sees whether that still holds. */
export class Changes {
  /** By target: answers and sends taken back, and these with sends. They overflow; only equality means something. */
  readonly answers: Int32Array;
  readonly all: Int32Array;
  /** When the oldest in flight was sent; +Infinity without one. */
  readonly oldestSentAt: Float64Array;

  constructor(targets: number) {
    this.answers = new Int32Array(targets);
    this.all = new Int32Array(targets);
    this.oldestSentAt = new Float64Array(targets).fill(Number.POSITIVE_INFINITY);
  }

  sent(target: number, oldestSentAt: number): void {
    this.all[target] = (this.all[target] as number) + 1;
    this.oldestSentAt[target] = oldestSentAt;
  }

  settled(target: number, oldestSentAt: number): void {
    this.answers[target] = (this.answers[target] as number) + 1;
    this.sent(target, oldestSentAt);
  }
}
