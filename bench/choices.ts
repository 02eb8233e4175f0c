import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SELECTORS, type SelectorName } from '../src/core/selector.ts';
import { benchCore } from './core.ts';
import { median } from './stats.ts';

export interface ChoiceCost {
  /** `none`: ten routes to ten targets, without a choice. */
  readonly by: SelectorName | 'none' | 'adaptive with telemetry';
  readonly eventsPerCpuSecond: number;
  /** To `round-robin` of the same round, median of the rounds. */
  readonly ratio: number;
}

/** The gateway's own throughput with a choice of four memory targets in its way, by selector; rounds are interleaved. */
export async function benchChoices(options: {
  events: number;
  rounds: number;
  model: string | undefined;
}): Promise<readonly ChoiceCost[]> {
  const { events, rounds, model } = options;
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const telemetry = `telemetry: { path: ${join(directory, 'telemetry')}, maxFileBytes: 4MiB, maxBytes: 16MiB }`;
  const variants: { by: ChoiceCost['by']; choice?: string; sections?: string }[] = [
    { by: 'none' },
    { by: 'adaptive with telemetry', choice: 'by: adaptive', sections: telemetry },
  ];
  for (const by of SELECTORS) {
    if (by !== 'predictive') variants.push({ by, choice: `by: ${by}` });
    else if (model !== undefined) {
      variants.push({ by, choice: `by: ${by}, model: m`, sections: `models: { m: { path: ${model} } }` });
    }
  }
  const rates = new Map<ChoiceCost['by'], number[]>(variants.map(({ by }) => [by, []]));
  try {
    for (let n = 0; n < rounds; n += 1) {
      for (const { by, choice, sections } of n % 2 === 0 ? variants : variants.toReversed()) {
        const result = await benchCore({ events, rounds: 1, choice, sections });
        rates.get(by)?.push(result.median);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const base = rates.get('round-robin') ?? [];
  return variants.map(({ by }) => {
    const own = rates.get(by) ?? [];
    return { by, eventsPerCpuSecond: median(own), ratio: median(own.map((rate, n) => rate / (base[n] as number))) };
  });
}

export function choicesText(costs: readonly ChoiceCost[]): string {
  const lines = costs.map(({ by, eventsPerCpuSecond, ratio }) => {
    const rate = Math.round(eventsPerCpuSecond).toLocaleString('en').padStart(12);
    return `${by.padEnd(26)}${rate}${ratio.toFixed(2).padStart(16)}`;
  });
  return `by                        events/CPU-s   ÷ round-robin\n${lines.join('\n')}\n`;
}
