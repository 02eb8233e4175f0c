import type { Random } from '../core/clock.ts';
import { compare, moments } from './comparison.ts';
import type { SliceFigures } from './cost-book.ts';

export interface RolloutStep {
  /** Share of the slices in which the candidate scores. */
  readonly share: number;
  /** Slices to judge by. */
  readonly slices: number;
}

export interface RolloutRules {
  /** Length of a slice, and of its beginning that is not counted: what was sent before still shows. In ms. */
  readonly sliceMs: number;
  readonly washMs: number;
  /** Slices in which the candidate only scores on what was recorded; they say what is usual, too. */
  readonly shadowSlices: number;
  readonly steps: readonly RolloutStep[];
  /** Slices in which it is watched once it is in force. */
  readonly watchSlices: number;
  /** Settled decisions that a slice needs to count. */
  readonly leastEvents: number;
  /** Slices of each side that a judgement needs. */
  readonly leastSlices: number;
  /** How much more the candidate may cost, as a share, and how many more sends may fail with it, as a difference of shares. */
  readonly costMargin: number;
  readonly failureMargin: number;
  /** A step may take so many times its slices, until it shows that the candidate is no worse. */
  readonly patience: number;
  /** One slice ends the trial that costs so many times what is usual and is so many deviations away, or fails by so much more. */
  readonly alarm: { readonly factor: number; readonly deviations: number; readonly failures: number };
}

export const ROLLOUT_RULES: RolloutRules = {
  sliceMs: 10_000,
  washMs: 2_000,
  shadowSlices: 12,
  steps: [
    { share: 0.05, slices: 60 },
    { share: 0.25, slices: 120 },
    { share: 1, slices: 30 },
  ],
  watchSlices: 180,
  leastEvents: 20,
  leastSlices: 3,
  costMargin: 0.1,
  failureMargin: 0.01,
  patience: 3,
  alarm: { factor: 1.5, deviations: 4, failures: 0.1 },
};

export type RolloutPhase = 'shadow' | 'canary' | 'watched' | 'kept' | 'rolled-back';

/** What the figures of a slice call for; `promote` asks for {@link Rollout.promoted}. */
export type Move = 'go-on' | 'step' | 'promote' | 'keep' | 'roll-back';

interface Sample {
  readonly costs: number[];
  readonly failures: number[];
}

/**
 * A candidate on its way into force, by switchback: time is cut into slices, in a random share of which the candidate scores for
 * all decisions, so that what one decision does to the next is counted where it belongs. Costs are compared by the logarithms of the
 * slices' means. Pure: it is told figures and says what to do.
 */
export class Rollout {
  /** Why it was rolled back. */
  reason: string | undefined;
  readonly #rules: RolloutRules;
  readonly #random: Random;
  /** Slices of the incumbent at any time, which say what is usual; and those drawn beside the candidate's, to compare with. */
  readonly #before: Sample = { costs: [], failures: [] };
  readonly #incumbent: Sample = { costs: [], failures: [] };
  readonly #candidate: Sample = { costs: [], failures: [] };
  #phase: RolloutPhase = 'shadow';
  #step = 0;
  /** Slices that were counted in this phase or step, and all that ended in it. */
  #counted = 0;
  #ended = 0;
  #block: boolean[] = [];
  #strikes = 0;

  constructor(rules: RolloutRules, random: Random) {
    this.#rules = rules;
    this.#random = random;
  }

  get phase(): RolloutPhase {
    return this.#phase;
  }

  /** Share of the slices that the candidate has. */
  get share(): number {
    if (this.#phase === 'watched' || this.#phase === 'kept') return 1;
    return this.#phase === 'canary' ? (this.#rules.steps[this.#step] as RolloutStep).share : 0;
  }

  /** What is usual so far: mean cost of the incumbent's slices and of the candidate's, in ms; NaN before the first. */
  get costs(): { readonly incumbent: number; readonly candidate: number } {
    return { incumbent: usual(this.#before), candidate: usual(this.#candidate) };
  }

  /** Whether the candidate scores in the slice that begins. Of each block of slices it has its share, at a random place. */
  next(): boolean {
    const { share } = this;
    if (share === 0 || share === 1) return share === 1;
    if (this.#block.length === 0) {
      const length = Math.max(2, Math.round(1 / share));
      const at = Math.floor(this.#random() * length);
      this.#block = Array.from({ length }, (_, i) => i === at);
    }
    return this.#block.shift() as boolean;
  }

  /** The rows recorded since it was trained speak for it. */
  passedShadow(): void {
    this.#enter('canary');
  }

  /** It is in force now. */
  promoted(): void {
    this.#enter('watched');
  }

  /** A slice under way; true: its figures are so bad already that the trial is over. */
  glimpsed(byCandidate: boolean, figures: SliceFigures): boolean {
    if (!byCandidate || this.#phase !== 'canary') return false;
    const excess = this.#excess(figures);
    return excess !== undefined && this.#rollBack(excess);
  }

  /** A slice is over and its decisions are settled. */
  took(byCandidate: boolean, figures: SliceFigures): Move {
    if (!this.#open) return 'go-on';
    this.#ended += 1;
    if (figures.events >= this.#rules.leastEvents) {
      const excess = byCandidate ? this.#excess(figures) : undefined;
      this.#strikes = excess === undefined ? 0 : this.#strikes + 1;
      // What is in force already is not given up for one slice: the hour may have changed.
      if (excess !== undefined && this.#strikes >= (this.#phase === 'watched' ? 2 : 1)) return this.#back(excess);
      this.#count(byCandidate, figures);
    }
    if (this.#phase === 'canary') return this.#judge();
    if (this.#phase === 'watched' && this.#ended >= this.#rules.watchSlices) {
      this.#enter('kept');
      return 'keep';
    }
    return 'go-on';
  }

  /** Whether there are enough slices of the shadow; `never`: nothing is decided here that could tell. */
  get shadowed(): 'yes' | 'not-yet' | 'never' {
    if (this.#counted >= this.#rules.shadowSlices) return 'yes';
    return this.#ended >= this.#rules.shadowSlices * this.#rules.patience ? 'never' : 'not-yet';
  }

  /** Gives it up, for a reason that is not in the figures. */
  giveUp(reason: string): void {
    if (this.#open) this.#rollBack(reason);
  }

  get #open(): boolean {
    return this.#phase !== 'kept' && this.#phase !== 'rolled-back';
  }

  #count(byCandidate: boolean, { cost, failures }: SliceFigures): void {
    this.#counted += 1;
    const samples = byCandidate ? [this.#candidate] : [this.#before];
    if (!byCandidate && this.#phase === 'canary') samples.push(this.#incumbent);
    for (const sample of samples) {
      sample.costs.push(Math.log(Math.max(1e-3, cost)));
      sample.failures.push(failures);
    }
  }

  #judge(): Move {
    const { steps, patience } = this.#rules;
    const { slices, share } = steps[this.#step] as RolloutStep;
    // Not after every slice: who looks often enough finds what chance did.
    if (this.#ended === 0 || this.#ended % slices !== 0) return 'go-on';
    const isLastTry = this.#ended >= slices * patience;
    const verdict = share === 1 ? 'no-worse' : this.#verdict();
    if (verdict === 'worse') return this.#back(this.#worse());
    // Small shares only look for harm; the last one below 1 has to show that there is none.
    const decides = share < 1 && (steps[this.#step + 1]?.share ?? 1) === 1;
    const isEnough = verdict === 'no-worse' || (verdict === 'unsure' && !decides);
    if (!isEnough) return isLastTry ? this.#back(this.#unshown(verdict)) : 'go-on';
    if (this.#step + 1 === steps.length) return 'promote';
    this.#step += 1;
    this.#enter('canary');
    return 'step';
  }

  #verdict(): 'worse' | 'no-worse' | 'unsure' | 'too-few' {
    const { costMargin, failureMargin, leastSlices } = this.#rules;
    const cost = compare(this.#incumbent.costs, this.#candidate.costs);
    const failures = compare(this.#incumbent.failures, this.#candidate.failures);
    const fewest = Math.min(this.#incumbent.costs.length, this.#candidate.costs.length);
    if (fewest < leastSlices || cost === undefined || failures === undefined) return 'too-few';
    const margin = Math.log(1 + costMargin);
    if (cost.lower > 0 && cost.difference > margin) return 'worse';
    if (failures.lower > 0 && failures.difference > failureMargin) return 'worse';
    return cost.upper <= margin && failures.upper <= failureMargin ? 'no-worse' : 'unsure';
  }

  /** In what a slice is far beyond what is usual with the incumbent; undefined where it is not. */
  #excess({ events, cost, failures }: SliceFigures): string | undefined {
    const { factor, deviations, failures: mostFailures } = this.#rules.alarm;
    const { count, mean, variance } = moments(this.#before.costs);
    if (count < this.#rules.leastSlices || events < this.#rules.leastEvents) return undefined;
    const rise = Math.log(Math.max(1e-3, cost)) - mean;
    if (rise > Math.log(factor) && rise > deviations * Math.sqrt(variance)) {
      return `a slice cost ${cost.toFixed(1)} ms per event, where ${Math.exp(mean).toFixed(1)} is usual`;
    }
    const usualFailures = moments(this.#before.failures).mean;
    if (failures <= usualFailures + mostFailures) return undefined;
    return `${percent(failures)} of the sends of a slice failed, where ${percent(usualFailures)} is usual`;
  }

  #worse(): string {
    const { incumbent, candidate } = this.costs;
    const [before, after] = [moments(this.#incumbent.failures).mean, moments(this.#candidate.failures).mean];
    return (
      `it is worse: ${candidate.toFixed(1)} ms per event instead of ${incumbent.toFixed(1)}, ` +
      `${percent(after)} failures instead of ${percent(before)}`
    );
  }

  #unshown(verdict: string): string {
    const { incumbent, candidate } = this.costs;
    if (verdict === 'too-few') return 'too few decisions to tell whether it is worse';
    return `not shown to be no worse: ${candidate.toFixed(1)} ms per event, ${incumbent.toFixed(1)} with the one in force`;
  }

  #enter(phase: RolloutPhase): void {
    this.#phase = phase;
    this.#counted = 0;
    this.#ended = 0;
    this.#block = [];
    this.#strikes = 0;
  }

  #back(reason: string): Move {
    this.#rollBack(reason);
    return 'roll-back';
  }

  #rollBack(reason: string): true {
    this.reason = reason;
    this.#phase = 'rolled-back';
    return true;
  }
}

function usual({ costs }: Sample): number {
  return Math.exp(moments(costs).mean);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
