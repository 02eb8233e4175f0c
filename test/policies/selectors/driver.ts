import type {
  Selector,
  SelectorConfig,
  SelectorDeps,
  SelectorName,
  SelectorTarget,
} from '../../../src/core/selector.ts';
import { createSelector } from '../../../src/selecting.ts';

/** A repeatable source of chance (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Bench {
  readonly selector: Selector;
  now: number;
}

export function targets(
  count: number,
  each: (index: number) => Partial<SelectorTarget> = () => ({}),
): SelectorTarget[] {
  return Array.from({ length: count }, (_, i) => ({ name: `t${i}`, ...each(i) }));
}

/** A selector under a clock that stands still until told. */
export function bench(
  by: SelectorName,
  config: Partial<SelectorConfig> & { targets: readonly SelectorTarget[] },
  deps: Partial<SelectorDeps> & { seed?: number } = {},
): Bench {
  const made = { now: 1_000 } as { now: number; selector: Selector };
  const { seed = 1, ...rest } = deps;
  made.selector = createSelector({ by, ...config }, { now: () => made.now, random: seeded(seed), ...rest });
  return made;
}

/** A target that answers after a fixed time, or never. */
export interface Behaviour {
  readonly latencyMs: number;
  readonly status?: 'ok' | 'failed' | 'refused';
}

export interface RunOptions {
  readonly ms: number;
  /** Events per millisecond. */
  readonly rate?: number;
  readonly behave: (target: number, now: number, bytes: number) => Behaviour;
  /** Of the n-th event; default 1,000. */
  readonly bytes?: (n: number) => number;
  readonly key?: (n: number) => string | undefined;
  readonly timeoutMs?: number;
  readonly onChosen?: (target: number, now: number, n: number) => void;
}

/** Open-loop load in steps of a millisecond: settles what is due, ticks every 20 ms, then sends. */
export function run(made: Bench, options: RunOptions): number[] {
  const { selector } = made;
  const { ms, rate = 1, behave, bytes = () => 1_000, key = () => undefined, timeoutMs = 2_000, onChosen } = options;
  const due: { at: number; ticket: number; status: 'ok' | 'failed' | 'refused' | 'timeout' }[] = [];
  const counts = selector.targets.map(() => 0);
  let credit = 0;
  let n = 0;
  for (let step = 0; step < ms; step += 1) {
    made.now += 1;
    for (let i = due.length - 1; i >= 0; i -= 1) {
      const send = due[i];
      if (send === undefined || send.at > made.now) continue;
      due.splice(i, 1);
      selector.settled(send.ticket, send.status);
    }
    if (step % 20 === 0) selector.tick();
    for (credit += rate; credit >= 1; credit -= 1) {
      const event = { key: key(n), bytes: bytes(n) };
      const { target } = selector.choose(event);
      if (target >= 0) {
        counts[target] = (counts[target] ?? 0) + 1;
        onChosen?.(target, made.now, n);
        const { latencyMs, status = 'ok' } = behave(target, made.now, event.bytes);
        const late = latencyMs >= timeoutMs;
        const ticket = selector.sent(target, event);
        due.push({ at: made.now + Math.min(latencyMs, timeoutMs), ticket, status: late ? 'timeout' : status });
      }
      n += 1;
    }
  }
  for (const { at, ticket, status } of due.sort((a, b) => a.at - b.at)) {
    made.now = Math.max(made.now, at);
    selector.settled(ticket, status);
  }
  return counts;
}
