import type { Trouble } from './stand.ts';

/** What happens to one target in a block, while the others are well. Its times are in ms. */
export interface Phase {
  readonly name: PhaseName;
  readonly ms: number;
  readonly trouble: Trouble;
}

export type PhaseName = 'warm-up' | 'steady' | 'slow-down' | 'brown-out' | 'calm' | 'black hole' | 'recovery';

const WELL: Trouble = {};
const SLOW: Trouble = { slowMs: 120 };
const BROWN: Trouble = { bandwidth: 0.08 };
const HOLE: Trouble = { blackHole: true };

/** The phases of every block. Quick ones are as short as a time to divert (1 s) and one to recover (5 s) allow. */
export function phases(quick: boolean): readonly Phase[] {
  const phase = (name: PhaseName, trouble: Trouble, long: number, short: number): Phase => {
    return { name, trouble, ms: quick ? short : long };
  };
  return [
    phase('warm-up', WELL, 5_000, 2_000),
    phase('steady', WELL, 4_000, 1_000),
    phase('slow-down', SLOW, 5_000, 1_500),
    phase('calm', WELL, 3_000, 750),
    phase('brown-out', BROWN, 5_000, 1_500),
    phase('calm', WELL, 4_000, 1_250),
    phase('black hole', HOLE, 8_000, 5_000),
    phase('recovery', WELL, 8_000, 2_000),
  ];
}
