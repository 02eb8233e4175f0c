import { type Build, build } from './build.ts';
import { type Cell, measureCell } from './cell.ts';
import { type Kind, type Place, rule } from './corpus.ts';

/** What one process measures: a kind of rules at one place, in growing numbers. */
export interface PartOptions {
  readonly kind: Kind;
  readonly place: Place;
  readonly sizes: readonly number[];
  readonly hitPercents: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
}

export interface Part {
  readonly cells: readonly Cell[];
  readonly builds: readonly (Build & { readonly kind: Kind; readonly place: Place; readonly rules: number })[];
}

/** Measures a part and prints it as JSON: run in a process of its own, so that no part has warmed up another. */
export async function runPart(options: PartOptions): Promise<void> {
  const { kind, place, sizes, hitPercents, rounds, roundMs } = options;
  const cells: Cell[] = [];
  const builds: Part['builds'][number][] = [];
  // The first build would be measured with the compiler cold, which no reload is.
  await build(Array.from({ length: 2_000 }, (_, n) => rule(kind, place, n)));
  for (const size of sizes) {
    const rules = Array.from({ length: size }, (_, n) => rule(kind, place, n));
    const tries = [await build(rules), await build(rules), await build(rules)];
    const { matcher, build: took } = tries.at(-1) as (typeof tries)[number];
    // What else runs on the machine can only add to a stall, so the least of the tries is the closest.
    const stallMs = Math.min(...tries.map((one) => one.build.stallMs));
    const wallMs = Math.min(...tries.map((one) => one.build.wallMs));
    builds.push({ kind, place, rules: size, ...took, stallMs, wallMs });
    for (const hitPercent of hitPercents)
      cells.push(measureCell({ kind, place, rules, matcher, hitPercent, rounds, roundMs }));
  }
  const part: Part = { cells, builds };
  process.stdout.write(JSON.stringify(part));
}
