import { createSelector, SCORE_COLUMNS, type Scorer, SELECTORS, type SelectorName } from '../src/index.ts';
import { GATEWAY_SCHEMA } from '../src/models/contract.ts';
import { loadModel } from '../src/models/scorer.ts';
import { median, quantile } from './stats.ts';
import { fullModel } from './training.ts';

/** Sends in flight per target while it is measured. */
const IN_FLIGHT = 4;
/** Logical time between events and between ticks: 20,000 events per second, whatever the machine does. */
const EVENT_MS = 0.05;
const TICK_MS = 20;

/** What one selector costs with so many targets; µs. */
export interface DecisionsRow {
  readonly by: SelectorName;
  readonly targets: number;
  /** CPU per event of `choose`, `sent` and `settled`, ticks not included. */
  readonly cpuUs: number;
  /** By the clock, event by event, with the clock's own time taken off. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU of one tick. */
  readonly tickUs: number;
  /** Of one core, at a tick every 20 ms. */
  readonly tickShare: number;
}

export interface DecisionsOptions {
  readonly events: number;
  readonly rounds: number;
  readonly targets: readonly number[];
  /** For `predictive`; default: a scorer that costs nothing. */
  readonly scorer?: Scorer | undefined;
  readonly selectors?: readonly SelectorName[];
}

/** What one tick of `predictive` costs when a model of full size scores: 60 trees of five levels for each of three scores, and rooms. */
export interface ScoringTick {
  readonly targets: number;
  readonly rows: number;
  /** CPU of the process, features and scores included; µs. */
  readonly tickUs: number;
  /** Of one core, at a tick every 20 ms. */
  readonly share: number;
}

export async function benchScoring(ticks: number, targets: readonly number[]): Promise<readonly ScoringTick[]> {
  const { model } = fullModel(GATEWAY_SCHEMA);
  const scorer = await loadModel(model.onnx, { schema: GATEWAY_SCHEMA });
  const figures: ScoringTick[] = [];
  for (const count of targets) {
    const load = new Load('predictive', count, scorer);
    load.run(2_000);
    await load.scored(50);
    const tickUs = await load.scored(ticks);
    figures.push({ targets: count, rows: load.rows, tickUs, share: tickUs / (TICK_MS * 1_000) });
  }
  await scorer.close();
  return figures;
}

/** All selectors with each number of targets; the least of the rounds, which are interleaved: what else runs can only add. */
export function benchDecisions(options: DecisionsOptions): readonly DecisionsRow[] {
  const cells = (options.selectors ?? SELECTORS).flatMap((by) => options.targets.map((targets) => ({ by, targets })));
  const rounds = cells.map((): Round[] => []);
  for (let round = -1; round < options.rounds; round += 1) {
    for (const [index, cell] of cells.entries()) {
      const measured = measure(cell.by, cell.targets, options);
      if (round >= 0) rounds[index]?.push(measured);
    }
  }
  return cells.map((cell, index) => {
    const of = (read: (round: Round) => number): number => Math.min(...(rounds[index] as Round[]).map(read));
    const tickUs = of((round) => round.tickUs);
    return {
      ...cell,
      cpuUs: of((round) => round.cpuUs),
      p50Us: of((round) => round.p50Us),
      p99Us: of((round) => round.p99Us),
      tickUs,
      tickShare: tickUs / (TICK_MS * 1_000),
    };
  });
}

export function decisionsText(rows: readonly DecisionsRow[], scoring: readonly ScoringTick[]): string {
  const lines = rows.map(({ by, targets, cpuUs, p50Us, p99Us, tickUs, tickShare }) => {
    const event = [cpuUs, p50Us, p99Us].map((us) => us.toFixed(2).padStart(8)).join('');
    const tick = `${tickUs.toFixed(0).padStart(8)} ${(100 * tickShare).toFixed(2).padStart(9)} %`;
    return `${by.padEnd(20)} ${String(targets).padStart(8)}${event}${tick}`;
  });
  const scored = scoring.map((one) => {
    const cells = `${String(one.targets).padStart(8)}${String(one.rows).padStart(8)}${one.tickUs.toFixed(0).padStart(8)}`;
    return `predictive     ${cells} ${(100 * one.share).toFixed(2).padStart(9)} %`;
  });
  return [
    'µs                    targets     CPU     p50     p99    tick   of a core',
    ...lines,
    '',
    'with a model    targets    rows    tick   of a core',
    ...scored,
    '',
  ].join('\n');
}

type Round = Pick<DecisionsRow, 'cpuUs' | 'p50Us' | 'p99Us' | 'tickUs'>;

function measure(by: SelectorName, count: number, options: DecisionsOptions): Round {
  const load = new Load(by, count, options.scorer ?? known());
  load.run(Math.ceil(options.events / 4));
  const cpu = process.cpuUsage();
  load.run(options.events);
  const { user, system } = process.cpuUsage(cpu);
  const ticks = load.ticks(400);
  const all = (user + system) / options.events;
  const stamps = new Float64Array(options.events);
  load.run(options.events, stamps);
  const clock = clockUs();
  const sample = Array.from(stamps);
  return {
    tickUs: ticks,
    cpuUs: all - (ticks * EVENT_MS) / TICK_MS,
    p50Us: quantile(sample, 0.5) - clock,
    p99Us: quantile(sample, 0.99) - clock,
  };
}

/** Unlike targets under a steady load: what is sent is settled after a fixed number of other sends. */
class Load {
  readonly #selector;
  readonly #tickets: Int32Array | Float64Array;
  readonly #sentTo: Int32Array;
  readonly #event = { bytes: 1_000 };
  #now = 1_000;
  #at = 0;
  #tickAt = 0;
  /** Scores that are being computed. */
  #asked = 0;

  constructor(by: SelectorName, count: number, scorer: Scorer) {
    const targets = Array.from({ length: count }, (_, i) => ({
      name: `t${i}`,
      weight: 1 + (i % 3),
      cost: (i % 4) / 10,
      protocol: i % 2 === 0 ? 'kafka' : 'mqtt',
    }));
    let state = 42;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 4_294_967_296;
    };
    const deps = { now: () => this.#now, random, scorer: by === 'predictive' ? this.#heard(scorer) : undefined };
    this.#selector = createSelector({ by, targets, telemetry: true }, deps);
    this.#tickets = new Float64Array(count * IN_FLIGHT).fill(-1);
    this.#sentTo = new Int32Array(count * IN_FLIGHT);
  }

  #heard(scorer: Scorer): Scorer {
    return {
      sha: scorer.sha,
      score: (features, rows) => {
        const answer = scorer.score(features, rows);
        if (answer instanceof Float32Array) return answer;
        this.#asked += 1;
        return answer.finally(() => {
          this.#asked -= 1;
        });
      },
    };
  }

  run(events: number, stamps?: Float64Array): void {
    for (let n = 0; n < events; n += 1) {
      this.#now += EVENT_MS;
      if (this.#now >= this.#tickAt) {
        this.#tickAt = this.#now + TICK_MS;
        this.#selector.tick();
      }
      if (stamps === undefined) this.#one();
      else {
        const began = performance.now();
        this.#one();
        stamps[n] = (performance.now() - began) * 1_000;
      }
    }
  }

  /** µs of CPU per tick. */
  ticks(count: number): number {
    const cpu = process.cpuUsage();
    for (let n = 0; n < count; n += 1) {
      this.#now += TICK_MS;
      this.#selector.tick();
    }
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / count;
  }

  /** µs of CPU per tick, waiting each time for the scores. */
  async scored(count: number): Promise<number> {
    while (this.#asked > 0) await new Promise(setImmediate);
    const cpu = process.cpuUsage();
    for (let n = 0; n < count; n += 1) {
      this.#now += TICK_MS;
      this.#selector.tick();
      while (this.#asked > 0) await new Promise(setImmediate);
    }
    const { user, system } = process.cpuUsage(cpu);
    if (this.#selector.explain(this.#event).by !== 'model') throw new Error('the model was not used');
    return (user + system) / count;
  }

  get rows(): number {
    return this.#selector.snapshot()?.rows ?? 0;
  }

  #one(): void {
    const at = this.#at;
    this.#at = (at + 1) % this.#tickets.length;
    const ticket = this.#tickets[at] as number;
    if (ticket >= 0) this.#selector.settled(ticket, 'ok', 4 + ((this.#sentTo[at] as number) % 7));
    const { target } = this.#selector.choose(this.#event);
    if (target < 0) throw new Error('no target');
    this.#tickets[at] = this.#selector.sent(target, this.#event);
    this.#sentTo[at] = target;
  }
}

/** Scores as a model would give them, at no cost. */
function known(): Scorer {
  let scores = new Float32Array(0);
  return {
    sha: 'known',
    score: (_features, rows) => {
      if (scores.length !== rows * SCORE_COLUMNS) {
        scores = new Float32Array(rows * SCORE_COLUMNS);
        for (let row = 0; row < rows; row += 1) {
          const ms = 4 + (row % 7);
          scores.set([Math.log(ms), Math.log(2 * ms), 0.001], row * SCORE_COLUMNS);
        }
      }
      return scores;
    },
  };
}

/** What reading the clock twice takes. */
function clockUs(): number {
  const gaps = Array.from({ length: 1_000 }, () => {
    const began = performance.now();
    return (performance.now() - began) * 1_000;
  });
  return median(gaps);
}
