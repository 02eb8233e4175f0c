import type { ModelConfig } from '../config/types.ts';
import type { Clock, Random } from '../core/clock.ts';
import { FairleadError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type GateReport, readModelFile, type TrainReport, trainModel } from '../modelling.ts';
import type { DecisionCosts } from '../models/off-policy.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { runEvaluation } from '../models/training/run.ts';
import type { CostBook } from './cost-book.ts';
import type { ModelHost } from './model-host.ts';
import type { LearningPace } from './pace.ts';
import { type RolloutEnd, RolloutRun, type ShadowVerdict } from './rollout-run.ts';
import { judgeShadow } from './shadow.ts';

/** How the retraining of a model is doing. */
export interface RetrainingStatus {
  readonly phase: 'idle' | 'waiting' | 'training' | 'shadow' | 'canary' | 'watched';
  /** Share of the time in which the candidate scores. */
  readonly share: number;
  readonly counts: RetrainingCounts;
  readonly last?: RetrainingResult | undefined;
}

export interface RetrainingCounts {
  /** Times that the model got worse than an average. */
  readonly drifts: number;
  readonly trainings: number;
  /** Of these: stopped by the gate, put in force, rolled back, without rows enough as yet, failed. */
  readonly refused: number;
  readonly promoted: number;
  readonly rolledBack: number;
  readonly tooFewRows: number;
  readonly failed: number;
}

export interface RetrainingResult {
  readonly outcome: 'refused' | 'promoted' | 'rolled-back' | 'too-few-rows' | 'failed';
  readonly cause: 'schedule' | 'drift';
  readonly version?: number | undefined;
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  /** As an ISO 8601 time. */
  readonly at: string;
}

/** A drift as it was heard of; times are wall-clock milliseconds. */
export interface HeardDrift {
  readonly choice: string;
  readonly target: string;
  readonly since: number;
  readonly rise: number;
  readonly beyondAverage: boolean;
}

export interface RetrainerParts {
  readonly model: ModelConfig & { readonly retrain: NonNullable<ModelConfig['retrain']> };
  readonly registry: ModelRegistry;
  readonly host: ModelHost;
  readonly book: CostBook;
  /** Where decisions are recorded, and how many were. */
  readonly telemetry: { readonly path: string; readonly counters: { readonly written: number } };
  readonly costs: () => DecisionCosts;
  readonly settleMs: () => number;
  readonly decides: () => boolean;
  /** Runs one task at a time: there is one training in a gateway. */
  readonly inTurn: <T>(task: () => Promise<T>) => Promise<T>;
  readonly pace: LearningPace;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** In a process of its own. */
  readonly train?: typeof trainModel | undefined;
  readonly evaluate?: typeof runEvaluation | undefined;
}

interface PendingDrift {
  readonly since: number;
  readonly writtenThen: number;
  /** Decisions since then that a training waits for. */
  readonly rows: number;
  /** A model that was trained for it was rolled back. */
  readonly inVain: boolean;
}

/**
 * Trains a model anew from recorded decisions, at intervals and when it has become worse than an average, and takes what passes the
 * gate through a rollout. One at a time, and nothing of it where events move: training and measuring are another process's.
 */
export class Retrainer {
  readonly #o: RetrainerParts;
  readonly #stop = new AbortController();
  readonly #counts = { drifts: 0, trainings: 0, refused: 0, promoted: 0, rolledBack: 0, tooFewRows: 0, failed: 0 };
  #phase: 'idle' | 'waiting' | 'training' = 'idle';
  #run: RolloutRun | undefined;
  #last: RetrainingResult | undefined;
  #nextAt: number;
  #writtenThen = 0;
  #drift: PendingDrift | undefined;
  #cancel: (() => void) | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(parts: RetrainerParts) {
    this.#o = parts;
    this.#nextAt = parts.clock.now() + parts.model.retrain.everyMs;
  }

  get status(): RetrainingStatus {
    const rollout = this.#run?.phase;
    const phase = rollout === 'kept' || rollout === 'rolled-back' ? 'idle' : (rollout ?? this.#phase);
    return { phase, share: this.#run?.share ?? 0, counts: { ...this.#counts }, last: this.#last };
  }

  /** Forgets what a rollout of before this process left in the registry, and begins to look whether a training is due. */
  start(): void {
    this.#working = this.#forget();
    this.#later();
  }

  /** The model got worse than an average at a target. While something is trained or tried, it is only counted. */
  drifted({ since, ...heard }: HeardDrift): void {
    const { model, log, telemetry } = this.#o;
    this.#counts.drifts += 1;
    log.warn({ model: model.name, ...heard }, 'model drifted: its forecasts of a target got worse');
    if (this.#phase === 'idle')
      this.#drift ??= { since, writtenThen: telemetry.counters.written, rows: model.retrain.minRows, inVain: false };
  }

  /** Ends what is under way; the version in force stays. Never rejects. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#stop.abort(new FairleadError({ code: 'E_STOPPED', message: 'the gateway was stopped' }));
    await this.#working;
  }

  #later(): void {
    if (this.#stop.signal.aborted) return;
    this.#cancel = this.#o.clock.after(this.#o.pace.lookMs, () => {
      this.#working = this.#working.then(() => this.#look());
    });
  }

  async #look(): Promise<void> {
    const cause = this.#due();
    if (cause !== undefined && !this.#stop.signal.aborted) await this.#retrain(cause);
    this.#later();
  }

  #due(): 'schedule' | 'drift' | undefined {
    const { clock, model, telemetry } = this.#o;
    const { minRows } = model.retrain;
    const { written } = telemetry.counters;
    if (this.#drift !== undefined && written - this.#drift.writtenThen >= this.#drift.rows) return 'drift';
    return clock.now() >= this.#nextAt && written - this.#writtenThen >= minRows ? 'schedule' : undefined;
  }

  async #retrain(cause: 'schedule' | 'drift'): Promise<void> {
    const { clock, model, inTurn } = this.#o;
    this.#phase = 'waiting';
    try {
      await inTurn(() => this.#attempt(cause));
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#fell(cause, error);
    } finally {
      this.#run = undefined;
      this.#phase = 'idle';
      this.#nextAt = clock.now() + model.retrain.everyMs;
    }
  }

  #fell(cause: 'schedule' | 'drift', error: unknown): void {
    const { model, log } = this.#o;
    const code = error instanceof FairleadError ? error.code : 'E_ERROR';
    const reason = messageOf(error);
    if (code === 'E_MODEL_ROWS') {
      this.#counts.tooFewRows += 1;
      this.#note({ outcome: 'too-few-rows', cause, code, reason });
      log.info({ model: model.name, code }, `model not trained, there are not enough rows yet: ${reason}`);
      return;
    }
    // The version that drifted is not in force any more.
    if (code === 'E_MODEL_SUPERSEDED') this.#drift = undefined;
    this.#counts.failed += 1;
    this.#note({ outcome: 'failed', cause, code, reason });
    log.error({ model: model.name, code }, `model not retrained, what is in force goes on: ${reason}`);
  }

  async #attempt(cause: 'schedule' | 'drift'): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const { model, registry, log } = this.#o;
    this.#phase = 'training';
    const incumbent = await this.#incumbent();
    const report = await this.#train(cause);
    const { version } = report.added ?? {};
    if (version === undefined) return;
    if (!report.gate.passed) {
      const failed = report.gate.checks.filter(({ passed }) => !passed).map(told);
      this.#counts.refused += 1;
      this.#note({ outcome: 'refused', cause, version, reason: failed.join(', ') });
      log.warn({ model: model.name, version, failed }, 'model trained, the gate does not let it pass');
      return;
    }
    const { host, book, pace, settleMs, decides, clock, random } = this.#o;
    const since = clock.wall();
    this.#run = new RolloutRun({
      name: model.name,
      version,
      incumbent,
      registry,
      host,
      book,
      rules: pace.rollout,
      lookMs: pace.lookMs,
      settleMs,
      decides,
      judge: (stop) => this.#judge(version, since, stop),
      clock,
      random,
      log,
    });
    this.#ended(cause, version, await this.#run.run(signal));
  }

  /** What has drifted is still in force. Each model in vain doubles what the next one waits for: trials are felt. */
  #again(): void {
    if (this.#drift === undefined) return;
    const { since, rows, inVain } = this.#drift;
    const { written } = this.#o.telemetry.counters;
    this.#drift = { since, writtenThen: written, rows: inVain ? 2 * rows : rows, inVain: true };
  }

  async #train(cause: 'schedule' | 'drift'): Promise<TrainReport> {
    const { clock, model, registry, telemetry, costs, pace, log, train = trainModel } = this.#o;
    const { name } = model;
    const since = cause === 'drift' ? this.#drift?.since : undefined;
    // Whatever comes of it, the next one wants as many rows again.
    this.#writtenThen = telemetry.counters.written;
    if (this.#drift !== undefined) this.#drift = { ...this.#drift, writtenThen: this.#writtenThen };
    this.#counts.trainings += 1;
    const begun = clock.now();
    log.info({ model: name, cause }, 'model is trained');
    const report = await train(
      {
        paths: [telemetry.path],
        since,
        costs: costs(),
        options: pace.train,
        maxRows: pace.maxRows,
        scenarios: model.gate?.scenarios,
        into: { registry, name },
      },
      { signal: this.#stop.signal },
    );
    const tookMs = Math.round(clock.now() - begun);
    log.info({ model: name, version: report.added?.version, rows: report.read.rows, tookMs }, 'model trained');
    return report;
  }

  /** The candidate and the version in force on what was recorded since. */
  async #judge(version: number, since: number, signal: AbortSignal): Promise<ShadowVerdict> {
    const { model, registry, telemetry, costs, pace, evaluate = runEvaluation } = this.#o;
    const { path } = await registry.version(model.name, version);
    try {
      const request = {
        onnx: await readModelFile(path),
        paths: [telemetry.path],
        since,
        costs: costs(),
        maxRows: pace.maxRows,
        active: await registry.active(model.name),
      };
      return judgeShadow(await evaluate(request, { signal }), pace);
    } catch (error) {
      if (error instanceof FairleadError && error.code === 'E_MODEL_ROWS') return { verdict: 'wait' };
      throw error;
    }
  }

  #ended(cause: 'schedule' | 'drift', version: number, { outcome, reason }: RolloutEnd): void {
    if (outcome === 'promoted') {
      this.#counts.promoted += 1;
      this.#drift = undefined;
    } else {
      this.#counts.rolledBack += 1;
      this.#again();
    }
    this.#note({ outcome, cause, version, reason });
  }

  async #incumbent(): Promise<number | null> {
    const { registry, model } = this.#o;
    return (await registry.state(model.name)).active;
  }

  async #forget(): Promise<void> {
    const { registry, model, log } = this.#o;
    try {
      const { canary, shadow } = await registry.state(model.name);
      for (const [role, version] of [['canary', canary] as const, ['shadow', shadow] as const]) {
        if (version === null) continue;
        await registry.trial(model.name, role, null);
        log.info({ model: model.name, version, role }, 'the trial of a model did not survive a restart');
      }
    } catch (error) {
      const code = error instanceof FairleadError ? error.code : 'E_ERROR';
      log.error({ model: model.name, code }, messageOf(error));
    }
  }

  #note(result: Omit<RetrainingResult, 'at'>): void {
    this.#last = { ...result, at: new Date(this.#o.clock.wall()).toISOString() };
  }
}

function told({ name, target, value, limit }: GateReport['checks'][number]): string {
  const what = target === undefined ? name : `${name} ${target}`;
  return `${what} is ${value.toPrecision(3)}, not ${limit.toPrecision(3)}`;
}
