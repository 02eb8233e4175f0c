import type { Scorer } from '../../src/core/scorer.ts';
import type { Selector, SelectorConfig, SelectorName } from '../../src/core/selector.ts';
import { createSelector } from '../../src/selecting.ts';
import { ShownEvent, TICK_MS } from '../../src/simulation/run.ts';
import { lognormal, normal, stream } from '../../src/simulation/world/random.ts';
import { MODEL_ON } from './policies.ts';

/** CPU of deciding, in ns: of one `choose`, and of all that a selector does for one event. */
export interface Cpu {
  readonly by: SelectorName;
  readonly targets: number;
  readonly chooseNs: number;
  readonly eventNs: number;
}

export const TARGET_COUNTS: readonly number[] = [2, 8, 64];

/** Events between two in a row; so a tick comes every 40. */
const EVENT_MS = 0.5;

/** A pass of its own, apart from the simulation: events come and are settled as they would be, and only the selector is timed. */
export function measureCpu(
  names: readonly SelectorName[],
  options: { readonly events: number; readonly rounds: number; readonly scorer: Scorer | undefined },
): readonly Cpu[] {
  return names.flatMap((by) =>
    TARGET_COUNTS.map((targets): Cpu => {
      const bed = new Bed(by, targets, by === MODEL_ON ? options.scorer : undefined);
      bed.events(options.events);
      bed.choices(options.events);
      const rounds = Array.from({ length: options.rounds }, () => ({
        eventNs: timed(options.events, () => bed.events(options.events)),
        chooseNs: timed(options.events, () => bed.choices(options.events)),
      }));
      // What else runs can only add.
      const least = (of: 'chooseNs' | 'eventNs'): number => Math.min(...rounds.map((round) => round[of]));
      return { by, targets, chooseNs: least('chooseNs'), eventNs: least('eventNs') };
    }),
  );
}

function timed(events: number, run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / events;
}

const SHOWN = 1_024;

/** A selector with sends under way: each is settled after as many events as its latency lasts. */
class Bed {
  readonly #selector: Selector;
  #now = 0;
  readonly #tickets: Float64Array[];
  readonly #counts: Int32Array;
  readonly #latencies: Int32Array;
  readonly #shown: readonly ShownEvent[];
  #ring: number;
  #event = 0;

  constructor(by: SelectorName, targets: number, scorer: Scorer | undefined) {
    const random = stream(5, targets);
    const config: SelectorConfig = {
      by,
      tickMs: TICK_MS,
      targets: Array.from({ length: targets }, (_, n) => ({ name: `t${n}`, protocol: 'http' })),
    };
    this.#selector = createSelector(config, { now: () => this.#now, wall: () => this.#now, random, scorer });
    this.#ring = 512;
    this.#tickets = Array.from({ length: this.#ring }, () => new Float64Array(64));
    this.#counts = new Int32Array(this.#ring);
    // In events: 2 ms to 120 ms.
    this.#latencies = Int32Array.from({ length: SHOWN }, () =>
      Math.max(4, Math.min(240, Math.round((12 * lognormal(0.6, normal(random(), random()))) / EVENT_MS))),
    );
    this.#shown = Array.from({ length: SHOWN }, (_, n) => {
      const event = new ShownEvent();
      event.bytes = n % 20 === 0 ? 200_000 : n % 4 === 0 ? 8_000 : 500;
      event.key = n % 4 === 1 ? `key-${n}` : undefined;
      return event;
    });
  }

  events(count: number): void {
    const selector = this.#selector;
    for (let n = 0; n < count; n += 1) {
      this.#event += 1;
      this.#now = this.#event * EVENT_MS;
      const shown = this.#shown[this.#event % SHOWN] as ShownEvent;
      this.#settle();
      const { target } = selector.choose(shown);
      const place = (this.#event + (this.#latencies[(this.#event * 7) % SHOWN] as number)) % this.#ring;
      const waiting = this.#counts[place] as number;
      if (target >= 0 && waiting < 64) {
        (this.#tickets[place] as Float64Array)[waiting] = selector.sent(target, shown);
        this.#counts[place] = waiting + 1;
      }
      if (this.#event % (TICK_MS / EVENT_MS) === 0) selector.tick();
    }
  }

  /** Decisions alone, in the state that the events left. */
  choices(count: number): number {
    let sum = 0;
    for (let n = 0; n < count; n += 1) sum += this.#selector.choose(this.#shown[n % SHOWN] as ShownEvent).target;
    return sum;
  }

  #settle(): void {
    const place = this.#event % this.#ring;
    const tickets = this.#tickets[place] as Float64Array;
    for (let n = 0; n < (this.#counts[place] as number); n += 1) this.#selector.settled(tickets[n] as number, 'ok');
    this.#counts[place] = 0;
  }
}
