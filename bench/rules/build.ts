import v8 from 'node:v8';
import vm from 'node:vm';
import type { RouteMatcher } from '../../src/core/routing.ts';
import { buildMatcher } from '../../src/router/index/indexed-matcher.ts';
import type { MatchedRoute } from '../../src/router/linear-matcher.ts';
import type { Rule } from './corpus.ts';
import { cpuMicros } from './cpu.ts';

/** What building the index of a rule set took. */
export interface Build {
  /** From the first slice to the last, waiting between them included. */
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly slices: number;
  /** Longest time in which nothing else could run: of each slice the lesser of wall-clock and CPU time. */
  readonly stallMs: number;
  /** Heap that the index and the routes it was made of hold, once garbage is collected. */
  readonly heapBytes: number;
  /** How far resident memory rose while it was built, garbage included. */
  readonly peakRssBytes: number;
}

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

export async function build(rules: readonly Rule[]): Promise<{ matcher: RouteMatcher; build: Build }> {
  collect();
  collect();
  const heap = process.memoryUsage().heapUsed;
  const routes = asRead(rules);
  collect();
  const rss = process.memoryUsage.rss();
  let peak = rss;
  let stallMs = 0;
  let slices = 0;
  const start = performance.now();
  const startCpu = cpuMicros();
  let from = start;
  let fromCpu = startCpu;
  const yieldTo = async (): Promise<void> => {
    slices += 1;
    stallMs = Math.max(stallMs, Math.min(performance.now() - from, (cpuMicros() - fromCpu) / 1_000));
    peak = Math.max(peak, process.memoryUsage.rss());
    await new Promise((resolve) => setImmediate(resolve));
    from = performance.now();
    fromCpu = cpuMicros();
  };
  const matcher = await buildMatcher(routes, { yieldTo });
  stallMs = Math.max(stallMs, Math.min(performance.now() - from, (cpuMicros() - fromCpu) / 1_000));
  const wallMs = performance.now() - start;
  const cpuMs = (cpuMicros() - startCpu) / 1_000;
  peak = Math.max(peak, process.memoryUsage.rss());
  collect();
  collect();
  const heapBytes = process.memoryUsage().heapUsed - heap;
  return { matcher, build: { wallMs, cpuMs, slices: slices + 1, stallMs, heapBytes, peakRssBytes: peak - rss } };
}

/** As a configuration file gives them, with texts in one piece. */
function asRead(rules: readonly Rule[]): MatchedRoute[] {
  return rules.map(({ route }) => JSON.parse(JSON.stringify(route)));
}
