/** The far end of a pair as the bench sees it: the place that the bridge delivers to. */
export interface FarEnd {
  /** How many events are there now. Asking costs little; undefined where the broker cannot tell, so that one must listen. */
  readonly depth: (() => Promise<number>) | undefined;
  /** Reads everything there is and that will come, by the cheapest means; resolves once it is reading. */
  listen(onPayload: (payload: Buffer | string) => void): Promise<void>;
  close(): Promise<void>;
}
