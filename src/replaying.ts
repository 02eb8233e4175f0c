import type { Random } from './core/clock.ts';
import type { Scorer } from './core/scorer.ts';
import type { Selector, SelectorConfig, SendStatus } from './core/selector.ts';
import { SCHEMA_HASH } from './models/features.ts';
import { createSelector } from './selecting.ts';
import { rawValue } from './telemetry/raw-value.ts';
import type { RecentChoice } from './telemetry/recent.ts';
import type { DecisionRecord, RecordedFeature, RecordedSchema, SnapshotRecord } from './telemetry/records.ts';

const TICK_MS = 20;
/** A tick after which nothing was decided is not recorded; the gap to the next is filled. */
const GAP_MS = 1.5 * TICK_MS;
/** After the last decision windows are rolled for so long at most; nothing changes any more after that. */
const LAST_MS = 60_000;
/** Recorded ages of a backlog are less exact than this. */
const AGE_ERROR_MS = 5;
/** Successes that the sample left out are spread over the time before the one that stands for them, up to so much of it. */
const SPREAD_MS = 1_000;

/** A recorded success stands for so many sends at most, and so many are gone through at most: the last ones. */
const MOST_COPIES = 10_000;
const MOST_SENDS = 1_000_000;

/** An outcome comes after its send. */
const AT_ONCE_MS = 1e-3;

/** One thing that happened: a tick, a send or its outcome. */
interface Step {
  readonly at: number;
  readonly kind: 'settled' | 'tick' | 'sent';
  readonly record?: DecisionRecord;
  /** The send that is settled. */
  readonly send?: Step;
  /** Recorded at this tick. */
  readonly snapshot?: SnapshotRecord;
  ticket?: number;
}

export interface ReplayOptions {
  readonly config: SelectorConfig;
  readonly scorer: Scorer | undefined;
  /** Of the events that the scorer decides. */
  readonly share: number;
  readonly random: Random;
  /** Oldest first; none: the selector knows nothing. */
  readonly recorded: RecentChoice;
  /** Up to when: from the last decision on it is as if nothing else had been sent. Default: the last decision. */
  readonly until?: number | undefined;
  /** What the features of the snapshots are. */
  readonly schema: RecordedSchema;
}

/**
 * Brings a selector to where the gateway's was after its last recorded decision, by having it go through all that was
 * recorded. Times are those of the records, in ms since 1970. A model is given the features as they were recorded, where they
 * are of the same schema. Where only a sample of the successes was recorded, each stands for several like it.
 */
export async function replayed(options: ReplayOptions): Promise<Selector> {
  const { recorded, schema, config, random } = options;
  const steps = stepsOf(recorded, options.until);
  let now = steps[0]?.at ?? 0;
  const asked = new Asked(options.scorer, schema.hash === SCHEMA_HASH);
  const selector = createSelector(
    { ...config, telemetry: true },
    { now: () => now, wall: () => now, random, scorer: asked.scorer },
  );
  selector.use(asked.scorer, options.share);
  const indexes = new Map(config.targets.map(({ name }, index) => [name, index]));
  const backlogs = new Backlogs(selector, schema.features);
  if (steps.length === 0) {
    selector.tick();
    await asked.answered();
  }
  for (const step of steps) {
    now = step.at;
    if (step.kind === 'tick') {
      if (step.snapshot !== undefined) backlogs.tell(step.snapshot, indexes);
      asked.recorded = sameTargets(step.snapshot, config) ? step.snapshot : undefined;
      selector.tick();
      await asked.answered();
    } else if (step.kind === 'sent') send(selector, step, indexes);
    else if (step.send?.ticket !== undefined) settle(selector, step.send);
  }
  return selector;
}

function send(selector: Selector, step: Step, indexes: ReadonlyMap<string, number>): void {
  const { eligible, chosen, bytes } = step.record as DecisionRecord;
  const target = indexes.get(chosen);
  if (target === undefined) return; // of a configuration before this one
  const among = eligible.flatMap((name) => indexes.get(name) ?? []).sort((a, b) => a - b);
  // Some strategies learn from choosing; a rotation goes on until it is where it was.
  for (let i = 0; i < among.length; i += 1) {
    if (selector.choose({ bytes }, among).target === target || selector.by !== 'round-robin') break;
  }
  step.ticket = selector.sent(target, { bytes });
}

function settle(selector: Selector, { record, ticket }: Step): void {
  const { outcome, ackMs } = record as DecisionRecord;
  const status: SendStatus = outcome === 'breaker' || outcome === 'open' ? 'recalled' : outcome;
  selector.settled(ticket as number, status, ackMs);
}

/** All that happened, in order. */
function stepsOf(
  { decisions: all, snapshots }: RecentChoice,
  until: number = all.at(-1)?.ts ?? Number.NaN,
): readonly Step[] {
  const decisions = bounded(all);
  const first = decisions[0];
  if (first === undefined) return [];
  const steps: Step[] = [];
  for (const [i, record] of decisions.entries()) {
    const copies = copiesOf(record);
    const gap = Math.min(SPREAD_MS, record.ts - (decisions[i - 1] ?? record).ts);
    for (let k = 0; k < copies; k += 1) {
      const sent: Step = { at: record.ts - (gap * k) / copies, kind: 'sent', record };
      steps.push(sent);
      const { ackMs } = record;
      if (ackMs !== undefined && sent.at + ackMs <= until) {
        steps.push({ at: sent.at + Math.max(AT_ONCE_MS, ackMs), kind: 'settled', record, send: sent });
      }
    }
  }
  steps.push(...ticks(first.ts, until, snapshots));
  const order: Readonly<Record<Step['kind'], number>> = { settled: 0, tick: 1, sent: 2 };
  return steps.sort((a, b) => a.at - b.at || order[a.kind] - order[b.kind]);
}

function copiesOf({ weight }: DecisionRecord): number {
  return Math.min(MOST_COPIES, Math.max(1, Math.round(weight)));
}

function bounded(decisions: readonly DecisionRecord[]): readonly DecisionRecord[] {
  let sends = 0;
  const from = decisions.findLastIndex((record) => {
    sends += copiesOf(record);
    return sends > MOST_SENDS;
  });
  return decisions.slice(from + 1);
}

/** The recorded ones, and those between of which nothing was recorded. */
function ticks(from: number, to: number, snapshots: readonly SnapshotRecord[]): readonly Step[] {
  const made: Step[] = [];
  let at = from;
  const fill = (until: number): void => {
    for (; at + GAP_MS < until; made.push({ at, kind: 'tick' })) at += TICK_MS;
  };
  for (const snapshot of snapshots) {
    if (snapshot.at > to) break;
    fill(snapshot.at);
    at = snapshot.at;
    made.push({ at, kind: 'tick', snapshot });
  }
  at = Math.max(at, to - LAST_MS);
  fill(to);
  return made;
}

function sameTargets(snapshot: SnapshotRecord | undefined, { targets }: SelectorConfig): boolean {
  return snapshot?.targets.join() === targets.map(({ name }) => name).join();
}

/** A model that is asked about recorded features rather than about those that were computed anew. */
class Asked {
  readonly scorer: Scorer | undefined;
  recorded: SnapshotRecord | undefined;
  #answer: Float32Array | Promise<Float32Array> | undefined;

  constructor(model: Scorer | undefined, isSameSchema: boolean) {
    if (model === undefined) return;
    this.scorer = {
      sha: model.sha,
      schemaHash: model.schemaHash,
      score: (features, rows) => {
        const known = isSameSchema && this.recorded?.features.length === features.length;
        this.#answer = model.score(known ? (this.recorded as SnapshotRecord).features : features, rows);
        return this.#answer;
      },
    };
  }

  /** Resolves when the selector has heard the last answer, also where that is an error: the selector tells of it. */
  async answered(): Promise<void> {
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer instanceof Promise) await answer.catch(() => undefined);
  }
}

/** What was polled stands in the features. */
class Backlogs {
  readonly #selector: Selector;
  readonly #columns: readonly RecordedFeature[];
  readonly #depth: number;
  readonly #age: number;
  readonly #polledAt = new Map<number, number>();

  constructor(selector: Selector, columns: readonly RecordedFeature[]) {
    this.#selector = selector;
    this.#columns = columns;
    this.#depth = columns.findIndex(({ name }) => name === 'backlog');
    this.#age = columns.findIndex(({ name }) => name === 'backlog_age');
  }

  tell({ at, targets, classes, features }: SnapshotRecord, indexes: ReadonlyMap<string, number>): void {
    for (const [i, name] of targets.entries()) {
      const index = indexes.get(name);
      const row = i * classes * this.#columns.length;
      const [depth, ageMs] = [this.#depth, this.#age].map((column) => {
        const feature = this.#columns[column];
        return feature && rawValue(feature, features[row + column]);
      });
      if (index === undefined || depth === undefined || ageMs === undefined) continue;
      const isNews = at - ageMs > (this.#polledAt.get(index) ?? Number.NEGATIVE_INFINITY) + AGE_ERROR_MS;
      if (!isNews) continue;
      this.#polledAt.set(index, at - ageMs);
      this.#selector.backlog(index, depth, ageMs);
    }
  }
}
