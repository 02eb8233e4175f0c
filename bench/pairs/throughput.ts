import type { Side } from './bridge.ts';
import { benchEvent, numberIn, Seen } from './event.ts';
import { cpuSeconds, peakRssMiB } from './proc.ts';
import { type Pair, progress, Run } from './run.ts';

const SAMPLE_MS = 20;

export interface Throughput {
  readonly side: Side;
  /** Events per second at the far end, between the end of the warm-up and the last event. */
  readonly rate: number;
  /** CPU µs per event of the bridge's process over the same span. */
  readonly cpuMicros: number;
  /** The same for other processes of interest, by name. */
  readonly othersCpuMicros: Readonly<Record<string, number>>;
  /** MiB */
  readonly peakRss: number;
  readonly lost: number;
  readonly duplicates: number;
}

interface Sample {
  readonly at: number;
  readonly count: number;
  readonly cpu: number;
  readonly others: readonly number[];
}

/** How many events one side carries in a round. */
export interface Amount {
  /** Those that arrive first and count for nothing but loss and duplicates: start-up, and compilation of hot code. */
  readonly warmUp: number;
  readonly measured: number;
}

/** Carries a backlog, or what a client posts as fast as it is taken, from a fresh place to another. */
export async function throughput(
  side: Side,
  pair: Pair,
  amount: Amount,
  others: Readonly<Record<string, number>>,
): Promise<Throughput> {
  const events = amount.warmUp + amount.measured;
  const run = await Run.open(side, pair);
  try {
    const { from, far } = run;
    const backlog = Array.from({ length: events }, (_, n) => benchEvent(n));
    const seen = new Seen(events);
    const look = (payload: Buffer | string): void => seen.add(numberIn(payload));
    if (far.depth === undefined) await far.listen(look);
    if (from.kind !== 'http') await run.produce(backlog);
    await run.start();
    const producing = from.kind === 'http' ? run.produce(backlog) : undefined;
    const { bridge } = run;
    const samples: Sample[] = [];
    const pids = Object.values(others);
    const sample = async (): Promise<number> => {
      const count = far.depth === undefined ? seen.total : await far.depth();
      if (count === 0) return 0;
      const at = performance.now();
      samples.push({ at, count, cpu: cpuSeconds(bridge.pid), others: pids.map(cpuSeconds) });
      return count;
    };
    await progress(bridge, SAMPLE_MS, sample, events);
    await producing;
    const peakRss = peakRssMiB(bridge.pid);
    await bridge.stop();
    if (far.depth !== undefined) {
      const there = await far.depth();
      await far.listen(look);
      await progress({ ...bridge, assertRunning() {} }, SAMPLE_MS, async () => seen.total, there);
    }
    const { lost, duplicates } = seen;
    return { side, ...figures(samples, amount, Object.keys(others)), peakRss, lost, duplicates };
  } finally {
    await run.close();
  }
}

function figures(
  samples: readonly Sample[],
  { warmUp, measured }: Amount,
  names: readonly string[],
): Pick<Throughput, 'rate' | 'cpuMicros' | 'othersCpuMicros'> {
  const from = samples.find(({ count }) => count >= warmUp) as Sample;
  const to = samples.at(-1) as Sample;
  const count = Math.min(to.count, warmUp + measured) - from.count;
  const micros = (seconds: number): number => (seconds * 1e6) / count;
  return {
    rate: (count * 1_000) / (to.at - from.at),
    cpuMicros: micros(to.cpu - from.cpu),
    othersCpuMicros: Object.fromEntries(
      names.map((name, n) => [name, micros((to.others[n] as number) - (from.others[n] as number))]),
    ),
  };
}
