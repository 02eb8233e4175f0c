import type { DecisionBy, SelectorEvent, SelectorName, SelectorTarget, SendOutcome } from '../../core/selector.ts';
import type { TargetWindow } from '../../core/target-window.ts';

/** A target as a strategy sees it. */
export interface Candidate {
  readonly index: number;
  readonly spec: SelectorTarget;
  readonly window: TargetWindow;
}

/** What a candidate's score is made of; smaller is better. */
export interface Scored {
  readonly score: number;
  /** NaN where it cannot be told without drawing. */
  readonly propensity: number;
  readonly parts: Readonly<Record<string, number>>;
}

/**
 * One way to choose. It is given the candidates that are eligible and available, at least two; which those are, leases and
 * accounting are the affair of `Choice`. Pure: time and chance come from outside.
 */
export interface Strategy {
  readonly name: SelectorName;
  readonly by: DecisionBy;
  /** Of the last pick. */
  readonly propensity: number;
  readonly explored: boolean;
  /** Position in `candidates`, or -1: it cannot tell, and the next of the fallback chain is asked. */
  pick(candidates: readonly Candidate[], event: SelectorEvent, now: number): number;
  /** Scores in the order of the candidates, without drawing or changing anything; undefined where it cannot tell. */
  scores(candidates: readonly Candidate[], event: SelectorEvent, now: number): readonly Scored[] | undefined;
  /** Called after the window was told. */
  sent?(candidate: Candidate, now: number): void;
  settled?(candidate: Candidate, outcome: SendOutcome, latencyMs: number, now: number): void;
  /** In place of `settled`, for a send that was taken back before it left. */
  recalled?(candidate: Candidate): void;
  tick?(candidates: readonly Candidate[], now: number): void;
}

/** What all strategies start with: a deterministic choice that explores nothing. */
export abstract class Rule {
  readonly by: DecisionBy = 'rule';
  propensity = 1;
  readonly explored: boolean = false;
}
