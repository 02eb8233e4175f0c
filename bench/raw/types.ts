/** What a raw loop carries: the payload, and what the client hands over beside it, as it is. */
export interface RawEvent {
  readonly payload: Buffer;
  /** Header names are those of the protocol the event came in by. */
  readonly headers: RawHeaders | undefined;
  readonly contentType: string | undefined;
  readonly key: string | undefined;
}

export type RawHeaders = Readonly<Record<string, string | Buffer>>;

/** What one fetch, poll or socket chunk brought. */
export interface RawBatch {
  readonly events: readonly RawEvent[];
  /** The far broker has confirmed the event of that index: it may be acknowledged. Called once each. */
  confirmed(index: number): void;
}

/** Broker and source or target entries of the gateway's own configuration, so that both sides are given the same. */
export interface RawEnd {
  readonly kind: string;
  readonly broker: Readonly<Record<string, unknown>>;
  readonly at: Readonly<Record<string, unknown>>;
}

export interface RawSource {
  /** Sends the acknowledgements that wait, and disconnects. */
  close(): Promise<void>;
}

export interface RawTarget {
  send(batch: RawBatch): void;
  close(): Promise<void>;
}
