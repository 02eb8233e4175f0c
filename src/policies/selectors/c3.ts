import { floorMs } from '../../core/capacity.ts';
import type { Random } from '../../core/clock.ts';
import type { SelectorEvent, SendOutcome } from '../../core/selector.ts';
import { CubicRate } from './cubic-rate.ts';
import { type Candidate, Rule, type Scored, type Strategy } from './strategy.ts';

/** α: weight of the newest value in the mean response time (`ScoreTracker` of lalithsuresh/cassandra-c3: 0.9). */
const GAIN = 0.9;

/**
 * C3 (Suresh et al., NSDI'15): the least R̄ − 1/μ̄ + q̂³/μ̄ among the targets whose rate allows another send, with
 * q̂ = 1 + sends under way × gateways. Servers of the paper report queue and service time with each answer. Brokers do not:
 * a backlog that is polled every few seconds sends all the same way until the next poll, so it is left out, and 1/μ̄ comes
 * from the highest rate of acks of late. Where all rates are used up the paper queues; here the best goes out, since a
 * lane's bounds are not a selector's affair. A failure counts as a response at the timeout.
 *
 * With a declared capacity q̂ is counted in units of what is served at once, 1/μ̄ is the service time that goes with it,
 * and rates are not limited: what the paper's rates find out is known then.
 */
export class C3 extends Rule implements Strategy {
  readonly name = 'c3';
  readonly #timeoutMs: number;
  readonly #gateways: number;
  readonly #random: Random;
  readonly #response: number[] = [];
  readonly #rates: CubicRate[] = [];
  readonly #serviceOf = { ms: 1, atOnce: 1 };

  constructor(options: { timeoutMs: number; gateways: number; random: Random }) {
    super();
    this.#timeoutMs = options.timeoutMs;
    this.#gateways = options.gateways;
    this.#random = options.random;
  }

  pick(candidates: readonly Candidate[], _event: SelectorEvent, now: number): number {
    let best = -1;
    let bestScore = Number.POSITIVE_INFINITY;
    let over = 0;
    let overScore = Number.POSITIVE_INFINITY;
    let equals = 0;
    for (let i = 0; i < candidates.length; i += 1) {
      const candidate = candidates[i] as Candidate;
      const score = this.#score(candidate);
      if (this.#allows(candidate, now)) {
        equals = score === bestScore ? equals + 1 : 1;
        if (score < bestScore || (score === bestScore && this.#random() * equals < 1)) {
          best = i;
          bestScore = score;
        }
      } else if (score < overScore) {
        over = i;
        overScore = score;
      }
    }
    return best < 0 ? over : best;
  }

  scores(candidates: readonly Candidate[], _event: SelectorEvent, now: number): readonly Scored[] {
    return candidates.map((candidate) => ({
      score: this.#score(candidate),
      propensity: Number.NaN,
      parts: {
        response: this.#response[candidate.index] ?? Number.NaN,
        service: this.#service(candidate).ms,
        withinRate: Number(this.#allows(candidate, now)),
        rate: this.#rate(candidate).limit,
      },
    }));
  }

  sent(candidate: Candidate, now: number): void {
    this.#rate(candidate).sent(now);
  }

  settled(candidate: Candidate, outcome: SendOutcome, latencyMs: number, now: number): void {
    const { index } = candidate;
    const took = outcome === 'ok' ? latencyMs : Math.max(latencyMs, this.#timeoutMs);
    const old = this.#response[index];
    this.#response[index] = old === undefined ? took : old + GAIN * (took - old);
    this.#rate(candidate).settled(now, outcome !== 'timeout' && outcome !== 'unknown');
  }

  recalled(candidate: Candidate): void {
    this.#rate(candidate).recalled();
  }

  #score(candidate: Candidate): number {
    const { index, window } = candidate;
    const { ms, atOnce } = this.#service(candidate);
    const queue = (1 + window.inFlight * this.#gateways) / atOnce;
    return (this.#response[index] ?? 0) - ms + ms * queue * queue * queue;
  }

  /** 1/μ, and what is served at once: 1 where it is not declared, and 1/μ is the time between two answers then. */
  #service({ spec, window }: Candidate): { readonly ms: number; readonly atOnce: number } {
    const { perSecond, concurrent } = spec.capacity ?? {};
    const service = this.#serviceOf;
    const floor = floorMs(spec, window);
    if (perSecond !== undefined) {
      service.atOnce = concurrent ?? Math.max(1, (perSecond * floor) / 1_000);
      service.ms = (1_000 * service.atOnce) / perSecond;
    } else {
      service.atOnce = concurrent ?? 1;
      service.ms = concurrent !== undefined ? floor : window.maxAckRate > 0 ? 1_000 / window.maxAckRate : 1;
    }
    return service;
  }

  #allows(candidate: Candidate, now: number): boolean {
    return candidate.spec.capacity !== undefined || this.#rate(candidate).allows(now);
  }

  #rate({ index }: Candidate): CubicRate {
    const known = this.#rates[index];
    if (known !== undefined) return known;
    const made = new CubicRate();
    this.#rates[index] = made;
    return made;
  }
}
