/** Keeps data that is too large for a target; the event carries a reference to it in `dataref` (CloudEvents extension). */
export interface ClaimStore {
  /**
   * Keeps data and resolves, once it is durable, with the URI it is found under. The same bytes give the same URI.
   * Rejects with a coded error that says `unavailable`: nothing was sent, and it is worth trying again.
   */
  put(data: Buffer): Promise<string>;
  /**
   * The data behind a URI; undefined where the URI is not one that this store gives. Rejects with a coded error: retryable
   * while the store cannot be read, final where the data is gone, damaged or larger than `maxBytes`.
   */
  get(reference: string, maxBytes: number): Promise<Buffer | undefined>;
  /** Rejects with a coded error when nothing can be kept. */
  check(): Promise<void>;
}
