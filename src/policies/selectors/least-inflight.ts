import type { Random } from '../../core/clock.ts';
import { ByScore } from './by-score.ts';
import type { Candidate } from './strategy.ts';

/** The target with the fewest sends under way, for its weight: of all, or of two drawn (Envoy's least request). */
export class LeastInFlight extends ByScore {
  readonly name: 'least-inflight' | 'p2c-least-inflight';

  constructor(name: 'least-inflight' | 'p2c-least-inflight', random: Random) {
    super(name === 'least-inflight' ? 'all' : 'two', random);
    this.name = name;
  }

  score({ window, spec }: Candidate): number {
    return (window.inFlight + 1) / Math.max(1e-9, spec.weight ?? 1);
  }
}
