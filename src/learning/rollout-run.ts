import type { Clock, Random } from '../core/clock.ts';
import { delay } from '../core/connection.ts';
import type { Log } from '../core/log.ts';
import type { ModelRegistry } from '../models/registry.ts';
import type { CostBook } from './cost-book.ts';
import type { ModelHost } from './model-host.ts';
import { type Move, Rollout, type RolloutPhase, type RolloutRules } from './rollout.ts';

/** What rows that were recorded after a candidate was trained say of it; `wait`: too few yet. */
export type ShadowVerdict = { readonly verdict: 'passed' | 'wait' } | { readonly verdict: 'failed'; reason: string };

export interface RolloutParts {
  readonly name: string;
  readonly version: number;
  /** In force when it was trained; null: none. */
  readonly incumbent: number | null;
  readonly registry: Pick<ModelRegistry, 'trial' | 'promote' | 'withdraw' | 'state'>;
  readonly host: Pick<ModelHost, 'prepare' | 'prefer' | 'drop' | 'look'>;
  readonly book: CostBook;
  readonly rules: RolloutRules;
  /** Slices under way are looked at this often. */
  readonly lookMs: number;
  /** By then what was decided in a slice is settled. */
  readonly settleMs: () => number;
  /** Whether the model decides anywhere here; where it does not, there is nothing to see in a canary. */
  readonly decides: () => boolean;
  readonly judge: (signal: AbortSignal) => Promise<ShadowVerdict>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** How a rollout ended. */
export interface RolloutEnd {
  readonly outcome: 'promoted' | 'rolled-back';
  /** Why it was rolled back. */
  readonly reason?: string | undefined;
}

interface Slice {
  readonly number: number;
  readonly byCandidate: boolean;
  readonly endsAt: number;
}

/**
 * Takes a candidate through its rollout: lets it score slice by slice, reads the book, and keeps the registry in step. However it
 * ends, the version in force scores then.
 */
export class RolloutRun {
  readonly #o: RolloutParts;
  readonly #rollout: Rollout;
  /** Not counted yet, oldest first. */
  readonly #slices: Slice[] = [];

  constructor(parts: RolloutParts) {
    this.#o = parts;
    this.#rollout = new Rollout(parts.rules, parts.random);
  }

  get phase(): RolloutPhase {
    return this.#rollout.phase;
  }

  get share(): number {
    return this.#rollout.share;
  }

  /** Resolves when it is in force and was watched, or is given up. Rejects as registry and host do, and when `signal` aborts. */
  async run(signal: AbortSignal): Promise<RolloutEnd> {
    const { name, version, registry, host } = this.#o;
    try {
      await registry.trial(name, 'shadow', version);
      await host.prepare(version);
      if (!(await this.#shadow(signal))) return this.#end();
      if (this.#o.decides()) {
        await registry.trial(name, 'canary', version);
        await registry.trial(name, 'shadow', null);
        this.#rollout.passedShadow();
        this.#tell('model is tried on a share of the time');
        if ((await this.#drive(signal)) !== 'promote') return this.#end();
      }
      await this.#promote();
      if ((await this.#drive(signal)) === 'roll-back') await this.#withdraw();
      return this.#end();
    } finally {
      this.#o.book.end();
      await this.#tidy();
    }
  }

  /** Slices that say what is usual, and then rows that came after the training. */
  async #shadow(signal: AbortSignal): Promise<boolean> {
    this.#tell('model passed the gate and is in shadow');
    const { rules, judge } = this.#o;
    for (let tries = 0; ; ) {
      await this.#slice(signal);
      const enough = this.#o.decides() ? this.#rollout.shadowed : 'yes';
      if (enough === 'not-yet') continue;
      const found = enough === 'never' ? undefined : await judge(signal);
      if (found?.verdict === 'passed') return true;
      tries += 1;
      if (found?.verdict === 'wait' && tries < rules.shadowSlices * rules.patience) continue;
      const reason = found?.verdict === 'failed' ? found.reason : 'too few decisions since it was trained';
      this.#rollout.giveUp(reason);
      return false;
    }
  }

  /** Slices until something is to be done. */
  async #drive(signal: AbortSignal): Promise<Move> {
    for (;;) {
      const move = await this.#slice(signal);
      if (move === 'step') this.#tell('model is tried on more of the time');
      if (move !== 'go-on' && move !== 'step') return move;
    }
  }

  /** One slice; counts those before it whose decisions are settled. */
  async #slice(signal: AbortSignal): Promise<Move> {
    const { clock, rules, book, host, lookMs, settleMs } = this.#o;
    const byCandidate = this.#rollout.next();
    host.prefer(byCandidate && this.phase === 'canary');
    const begun = clock.now();
    const number = book.begin(begun + rules.washMs);
    const endsAt = begun + rules.sliceMs;
    this.#slices.push({ number, byCandidate, endsAt });
    for (let now = begun; now < endsAt; now = clock.now()) {
      await delay(Math.min(lookMs, endsAt - now), signal, clock);
      for (const slice of this.#slices) {
        if (this.#rollout.glimpsed(slice.byCandidate, book.figures(slice.number))) return 'roll-back';
      }
    }
    let move: Move = 'go-on';
    while (move === 'go-on' && (this.#slices[0]?.endsAt ?? Number.POSITIVE_INFINITY) + settleMs() <= clock.now()) {
      const slice = this.#slices.shift() as Slice;
      move = this.#rollout.took(slice.byCandidate, book.figures(slice.number));
    }
    return move;
  }

  async #promote(): Promise<void> {
    const { name, version, incumbent, registry, host, log } = this.#o;
    await registry.promote(name, version, incumbent);
    await host.look();
    const { incumbent: costBefore, candidate: costNow } = this.#rollout.costs;
    this.#rollout.promoted();
    log.info({ model: name, version, costBefore, costNow }, 'model promoted: it is in force');
  }

  async #withdraw(): Promise<void> {
    const { name, version, registry, host } = this.#o;
    await registry.withdraw(name, version);
    await host.look();
  }

  #end(): RolloutEnd {
    const { name: model, version, log } = this.#o;
    const { phase, reason } = this.#rollout;
    if (phase === 'rolled-back') log.warn({ model, version, reason }, 'model rolled back');
    return phase === 'rolled-back' ? { outcome: 'rolled-back', reason } : { outcome: 'promoted' };
  }

  async #tidy(): Promise<void> {
    const { name, version, registry, host } = this.#o;
    await host.drop();
    const { canary, shadow } = await registry.state(name);
    if (canary === version) await registry.trial(name, 'canary', null);
    if (shadow === version) await registry.trial(name, 'shadow', null);
  }

  #tell(what: string): void {
    const { name: model, version, log } = this.#o;
    log.info({ model, version, share: this.share }, what);
  }
}
