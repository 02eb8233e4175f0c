import type { PairResult, Range, SideResult } from './pair.ts';

const HEAD = [
  'pair',
  'events/s raw',
  'gateway',
  'ratio (range)',
  'CPU µs raw',
  'gateway',
  'ratio (range)',
  'p50 ms raw',
  'gateway',
  'ratio',
  'p99 ms raw',
  'gateway',
  'ratio',
  'RSS MiB raw',
  'gateway',
  'lost',
  'dup',
];

const BROKERS_HEAD = ['pair', 'broker', 'CPU µs raw', 'gateway'];

/** One line per pair, and one per pair and broker where the bench knows the brokers' processes. */
export function report(results: readonly PairResult[]): string {
  const brokers = results.flatMap(({ pair, raw, gateway }) =>
    Object.entries(raw.brokersCpuMicros).map(([name, micros]) => [
      pair,
      name,
      micros.toFixed(1),
      (gateway.brokersCpuMicros[name] ?? Number.NaN).toFixed(1),
    ]),
  );
  const tables = [aligned([HEAD, ...results.map(row)])];
  if (brokers.length > 0) tables.push(aligned([BROKERS_HEAD, ...brokers]));
  return tables.join('\n');
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) => cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
    .map((line) => `${line}\n`)
    .join('');
}

function row(result: PairResult): string[] {
  const { raw, gateway, ratio, cpuRatio, p50Ratio, p99Ratio } = result;
  const both = (digits: number, value: (side: SideResult) => number): string[] =>
    [raw, gateway].map((side) => value(side).toFixed(digits));
  return [
    result.pair,
    ...both(0, ({ rate }) => rate),
    range(ratio),
    ...both(1, ({ cpuMicros }) => cpuMicros),
    range(cpuRatio),
    ...both(2, ({ p50 }) => p50),
    p50Ratio.toFixed(2),
    ...both(2, ({ p99 }) => p99),
    p99Ratio.toFixed(2),
    ...both(0, ({ peakRss }) => peakRss),
    `${raw.lost}/${gateway.lost}`,
    `${raw.duplicates}/${gateway.duplicates}`,
  ];
}

function range([median, low, high]: Range): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
