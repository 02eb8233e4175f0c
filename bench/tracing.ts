import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { benchCore } from './core.ts';
import { median } from './stats.ts';

/** What tracing costs the core bench. */
export interface TracingRow {
  readonly name: string;
  /** Events per CPU-second, median. */
  readonly rate: number;
  /** Of the same rounds without the section; median of the paired ratios, with their range. */
  readonly ratio: readonly [median: number, least: number, most: number];
}

const CASES = [
  { name: 'nothing sampled', sample: 0, choice: undefined },
  { name: '1 %', sample: 0.01, choice: undefined },
  { name: '10 %', sample: 0.1, choice: undefined },
  { name: '1 %, by a choice', sample: 0.01, choice: 'by: adaptive' },
] as const;

/** Each case beside the same without tracing, round by round; the collector is in the process and reads nothing. */
export async function benchTracing(options: { events: number; rounds: number }): Promise<readonly TracingRow[]> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  const found = CASES.map(() => ({ rates: [] as number[], ratios: [] as number[] }));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const [index, { sample, choice }] of CASES.entries()) {
      const one = { events: options.events, rounds: 1, choice };
      const without = await benchCore(one);
      const traced = await benchCore({ ...one, sections: `tracing: { endpoint: '${endpoint}', sample: ${sample} }` });
      found[index]?.rates.push(traced.median);
      found[index]?.ratios.push(traced.median / without.median);
    }
  }
  server.closeAllConnections();
  server.close();
  return CASES.map(({ name }, index) => {
    const { rates, ratios } = found[index] as (typeof found)[number];
    return { name, rate: median(rates), ratio: [median(ratios), Math.min(...ratios), Math.max(...ratios)] };
  });
}

export function tracingText(rows: readonly TracingRow[]): string {
  const lines = rows.map(({ name, rate, ratio }) => {
    const cells = [Math.round(rate).toLocaleString('en'), ...ratio.map((one) => one.toFixed(2))];
    return `${name.padEnd(18)}${cells.map((cell) => cell.padStart(11)).join('')}\n`;
  });
  return `${'sampled'.padEnd(18)}   events/s    ÷ off      least       most\n${lines.join('')}`;
}
