import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { promisify } from 'node:util';
import { KINDS, PLACES } from './corpus.ts';
import { holds, mustsOf } from './musts.ts';
import type { Part, PartOptions } from './part.ts';
import { type PeerResult, type PeerRun, runPeers } from './peers.ts';
import { mustList, partTable, peerTable } from './report.ts';

export interface RulesBench {
  readonly quick: boolean;
  readonly peers: boolean;
  readonly rounds: number;
  /** Only these kinds, or all. */
  readonly kinds: readonly string[];
  readonly json: string | undefined;
}

/** Runs each kind at each place in a process of its own; false where a must that was measured does not hold. */
export async function benchRules({ quick, peers, rounds, kinds, json }: RulesBench): Promise<boolean> {
  const sizes = quick ? [10, 1_000, 10_000, 100_000] : [10, 100, 1_000, 10_000, 100_000];
  const hitPercents = quick ? [50] : [0, 1, 50];
  const cells: Part['cells'][number][] = [];
  const builds: Part['builds'][number][] = [];
  for (const place of PLACES) {
    for (const kind of KINDS) {
      if (kinds.length > 0 && !kinds.includes(kind)) continue;
      if (place === 'body' && kind !== 'exact' && kind !== 'mixed') continue; // the other kinds say no more
      const part = await inProcess({ kind, place, sizes, hitPercents, rounds, roundMs: quick ? 60 : 120 });
      cells.push(...part.cells);
      builds.push(...part.builds);
      process.stdout.write(partTable(part));
    }
  }
  const runs: readonly PeerRun[] = peers ? await runPeers(10_000) : [];
  process.stdout.write(peerTable(runs));
  const musts = mustsOf(
    { cells, builds },
    runs.filter((run): run is PeerResult => 'rate' in run),
  );
  process.stdout.write(mustList(musts));
  if (json !== undefined) {
    const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
    const result = { machine, options: { quick, rounds }, cells, builds, peers: runs, musts };
    writeFileSync(json, `${JSON.stringify(result, undefined, 2)}\n`);
  }
  return musts.every((must) => holds(must) !== false);
}

const run = promisify(execFile);

async function inProcess(options: PartOptions): Promise<Part> {
  const main = process.argv[1] as string;
  const args = [...process.execArgv, main, 'rules-part', JSON.stringify(options)];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 16 * 2 ** 20 });
  return JSON.parse(stdout) as Part;
}
