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

/** One line per pair, aligned. */
export function table(results: readonly PairResult[]): string {
  const rows = [HEAD, ...results.map(row)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
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
