/** What a peer did with the rules and events of the bench. */
export interface PeerResult {
  readonly name: string;
  readonly rules: number;
  /** Events per CPU-second, bytes in. */
  readonly rate: number;
  readonly matchesPerEvent: number;
}

/** A peer that could not be measured, and why. */
export interface PeerSkipped {
  readonly name: string;
  readonly skipped: string;
}

export type PeerRun = PeerResult | PeerSkipped;

export async function runPeers(_rules: number): Promise<readonly PeerRun[]> {
  return [];
}
