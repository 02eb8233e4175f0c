import type { MeshEvent } from '../../../src/core/event.ts';

export const KINDS = ['kafka', 'rabbitmq', 'mqtt', 'sqs', 'http'] as const;
export type Kind = (typeof KINDS)[number];

/** What kind of bytes go out: attributes beside the data, or all in one JSON document. */
export type Mode = 'binary' | 'structured';

export type OnEvent = (event: MeshEvent) => void;

/**
 * A fresh topic, queue or path on a real broker, with a raw client beside the gateway: what tests, faults and benches put
 * in on one side and read back on the other. The configuration entries are as a user writes them in YAML.
 */
export interface Place {
  readonly kind: Kind;
  readonly broker: Record<string, unknown>;
  readonly source: Record<string, unknown>;
  readonly target: Record<string, unknown>;
  /** Puts events in with a raw client; resolves when the broker has acknowledged all of them. */
  produce(events: readonly MeshEvent[], mode: Mode): Promise<void>;
  /** Reads everything there is and that will come, acknowledging it; resolves once it is reading. */
  read(onEvent: OnEvent): Promise<void>;
  close(): Promise<void>;
}

export function keyOf(event: MeshEvent): string | undefined {
  const key = event.extensions['partitionkey'];
  return key === undefined ? undefined : String(key);
}
