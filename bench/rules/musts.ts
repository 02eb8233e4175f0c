import type { Cell } from './cell.ts';
import type { Part } from './part.ts';
import type { PeerResult } from './peers.ts';

/** A figure that must hold, and what it was. */
export interface Must {
  readonly what: string;
  readonly value: number | undefined;
  readonly unit: string;
  /** `atMost` or `atLeast` the bound. */
  readonly bound: { readonly atMost: number } | { readonly atLeast: number };
  /** What to push for beyond it. */
  readonly stretch?: number | undefined;
}

/** Events of which half match are what the figures are taken at: the hardest of the hit rates. */
const HIT_PERCENT = 50;

export function holds({ value, bound }: Must): boolean | undefined {
  if (value === undefined || Number.isNaN(value)) return undefined;
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;
}

export function mustsOf({ cells, builds }: Part, peers: readonly PeerResult[]): readonly Must[] {
  const cell = (kind: Cell['kind'], place: Cell['place'], rules: number): Cell | undefined =>
    cells.find(
      (one) => one.kind === kind && one.place === place && one.rules === rules && one.hitPercent === HIT_PERCENT,
    );
  const growth = (kind: Cell['kind']): number | undefined =>
    quotient(cell(kind, 'bytes', 10)?.index, cell(kind, 'bytes', 10_000)?.index);
  const overLoop = (kind: Cell['kind'], rules: number): number | undefined => {
    const { index, closures } = cell(kind, 'attributes', rules) ?? {};
    return quotient(index, closures);
  };
  const overParse = (kind: Cell['kind']): number | undefined => {
    const { index, parse } = cell(kind, 'bytes', 10_000) ?? {};
    return quotient(index, parse);
  };
  const worst = (rules: number, figure: (build: Part['builds'][number]) => number): number | undefined => {
    const figures = builds.filter((one) => one.rules === rules).map(figure);
    return figures.length === 0 ? undefined : Math.max(...figures);
  };
  const cpu = ({ cpuMs }: Part['builds'][number]): number => cpuMs;
  const stall = ({ stallMs }: Part['builds'][number]): number => stallMs;
  return [
    must('cost of 10,000 ÷ 10 rules, bytes in, exact', growth('exact'), '×', { atMost: 1.75 }, 1.3),
    must('cost of 10,000 ÷ 10 rules, bytes in, mixed', growth('mixed'), '×', { atMost: 3 }, 1.5),
    must('index ÷ closures in a loop, 1,000 rules, exact', overLoop('exact', 1_000), '×', { atLeast: 10 }, 30),
    must('index ÷ closures in a loop, 1,000 rules, mixed', overLoop('mixed', 1_000), '×', { atLeast: 10 }, 30),
    must('index ÷ closures in a loop, 10,000 rules, exact', overLoop('exact', 10_000), '×', { atLeast: 100 }, 400),
    must('index ÷ closures in a loop, 10,000 rules, mixed', overLoop('mixed', 10_000), '×', { atLeast: 100 }, 400),
    must('bytes in at 10,000 rules ÷ JSON.parse, exact', overParse('exact'), '×', { atLeast: 0.4 }, 1),
    must('bytes in at 10,000 rules ÷ JSON.parse, mixed', overParse('mixed'), '×', { atLeast: 0.25 }, 0.5),
    must('10,000 rules built in slices, CPU time', worst(10_000, cpu), 'ms', { atMost: 1_000 }, 300),
    must('longest stall, 10,000 rules', worst(10_000, stall), 'ms', { atMost: 20 }),
    must('100,000 rules built in slices, CPU time', worst(100_000, cpu), 'ms', { atMost: 5_000 }),
    must('longest stall, 100,000 rules', worst(100_000, stall), 'ms', { atMost: 20 }),
    must('memory of 100,000 rules, index and routes', mebibytes(worst(100_000, ({ heapBytes }) => heapBytes)), 'MiB', {
      atMost: 300,
    }),
    must(
      'rise of resident memory, 100,000 rules',
      mebibytes(worst(100_000, ({ peakRssBytes }) => peakRssBytes)),
      'MiB',
      { atMost: 300 },
    ),
    must('attributes only, 10,000 exact rules', cell('exact', 'attributes', 10_000)?.index, 'events per CPU-second', {
      atLeast: 700_000,
    }),
    ...peers.map(({ name, rate }) =>
      must(`body in, 10,000 mixed rules ÷ ${name}`, quotient(cell('mixed', 'body', 10_000)?.index, rate), '×', {
        atLeast: 50,
      }),
    ),
  ];
}

function must(what: string, value: number | undefined, unit: string, bound: Must['bound'], stretch?: number): Must {
  return { what, value, unit, bound, stretch };
}

function quotient(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}

function mebibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 2 ** 20;
}
