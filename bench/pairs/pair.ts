import { median, quantile } from '../stats.ts';
import type { Side } from './bridge.ts';
import { type Latency, latency } from './latency.ts';
import type { Pair } from './run.ts';
import { type Amount, type Throughput, throughput } from './throughput.ts';

/** Share of the slower side's rate at which latency is measured. */
const LOAD = 0.2;
const PROBE: Amount = { warmUp: 3_000, measured: 3_000 };
const WARM_UP_S = 2;
/** What brokers keep in memory without trouble. */
const MAX_EVENTS = 150_000;

export interface PairOptions {
  readonly rounds: number;
  /** About how long one side's part of a round takes. */
  readonly seconds: number;
  readonly latencyRounds: number;
  /** Pids of the brokers, by name, where they are known. */
  readonly brokers: Readonly<Record<string, number>>;
  readonly log: (line: string) => void;
}

export interface PairResult {
  readonly pair: string;
  readonly amount: Amount;
  readonly rounds: readonly Throughput[];
  readonly raw: SideResult;
  readonly gateway: SideResult;
  /** gateway ÷ raw of the same round: median, smallest, largest. */
  readonly ratio: Range;
  /** raw ÷ gateway, so that more is better as in `ratio`. */
  readonly cpuRatio: Range;
  readonly latencyLoad: number;
  readonly latencies: readonly Latency[];
  /** gateway ÷ raw of the medians; less is better. */
  readonly p50Ratio: number;
  readonly p99Ratio: number;
}

export interface SideResult {
  readonly rate: number;
  readonly cpuMicros: number;
  readonly brokersCpuMicros: Readonly<Record<string, number>>;
  readonly peakRss: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly p50: number;
  readonly p99: number;
}

export type Range = readonly [median: number, low: number, high: number];

const SIDES: readonly Side[] = ['raw', 'gateway'];

export async function measurePair(pair: Pair, options: PairOptions): Promise<PairResult> {
  const { rounds, seconds, brokers, log } = options;
  const name = pair.join('→');
  const probes: Throughput[] = [];
  for (const side of SIDES) probes.push(await throughput(side, pair, PROBE, brokers));
  const slower = Math.min(...probes.map(({ rate }) => rate));
  const perSecond = Math.min(slower, MAX_EVENTS / (WARM_UP_S + seconds));
  const amount = { warmUp: Math.ceil(perSecond * WARM_UP_S), measured: Math.ceil(perSecond * seconds) };
  log(`${name}: ${amount.measured} events a round after ${amount.warmUp} to warm up`);
  const results: Throughput[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const side of alternate(round)) {
      const result = await throughput(side, pair, amount, brokers);
      const { rate, cpuMicros, lost, duplicates } = result;
      log(`${name} ${round} ${side}: ${Math.round(rate)}/s ${cpuMicros.toFixed(1)} µs lost ${lost} dup ${duplicates}`);
      results.push(result);
    }
  }
  const load = LOAD * Math.min(...SIDES.map((side) => median(of(results, side).map(({ rate }) => rate))));
  const latencies: Latency[] = [];
  for (let round = 0; round < options.latencyRounds; round += 1) {
    for (const side of alternate(round)) {
      const result = await latency(side, pair, load, seconds);
      log(`${name} ${round} ${side}: p50 ${result.p50.toFixed(2)} ms p99 ${result.p99.toFixed(2)} ms`);
      latencies.push(result);
    }
  }
  const raw = summarise(of(results, 'raw'), of(latencies, 'raw'));
  const gateway = summarise(of(results, 'gateway'), of(latencies, 'gateway'));
  return {
    pair: name,
    amount,
    rounds: results,
    raw,
    gateway,
    ratio: paired(results, (own, other) => own.rate / other.rate),
    cpuRatio: paired(results, (own, other) => other.cpuMicros / own.cpuMicros),
    latencyLoad: load,
    latencies,
    p50Ratio: gateway.p50 / raw.p50,
    p99Ratio: gateway.p99 / raw.p99,
  };
}

function alternate(round: number): readonly Side[] {
  return round % 2 === 0 ? SIDES : [...SIDES].reverse();
}

function of<T extends { readonly side: Side }>(all: readonly T[], side: Side): readonly T[] {
  return all.filter((each) => each.side === side);
}

function paired(results: readonly Throughput[], ratio: (gateway: Throughput, raw: Throughput) => number): Range {
  const raws = of(results, 'raw');
  const ratios = of(results, 'gateway').map((gateway, round) => ratio(gateway, raws[round] as Throughput));
  return [median(ratios), quantile(ratios, 0), quantile(ratios, 1)];
}

function summarise(results: readonly Throughput[], latencies: readonly Latency[]): SideResult {
  const middle = (value: (result: Throughput) => number): number => median(results.map(value));
  const sum = (value: (result: Throughput) => number): number =>
    results.reduce((total, each) => total + value(each), 0);
  const names = Object.keys(results[0]?.othersCpuMicros ?? {});
  return {
    rate: middle(({ rate }) => rate),
    cpuMicros: middle(({ cpuMicros }) => cpuMicros),
    brokersCpuMicros: Object.fromEntries(
      names.map((name) => [name, middle(({ othersCpuMicros }) => othersCpuMicros[name] as number)]),
    ),
    peakRss: Math.max(...results.map(({ peakRss }) => peakRss)),
    lost: sum(({ lost }) => lost) + latencies.reduce((total, { lost }) => total + lost, 0),
    duplicates: sum(({ duplicates }) => duplicates),
    p50: median(latencies.map(({ p50 }) => p50)),
    p99: median(latencies.map(({ p99 }) => p99)),
  };
}
