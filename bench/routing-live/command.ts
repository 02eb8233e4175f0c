import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import type { SelectorName } from '../../src/core/selector.ts';
import { Arrivals } from './arrivals.ts';
import { type Block, runBlock } from './block.ts';
import { figuresOf, type LateBounds } from './figures.ts';
import { SEND_TIMEOUT_MS } from './gateway.ts';
import { type Outcome, reportOf, verdictsOf } from './report.ts';
import { phases } from './script.ts';
import { LIVE_KINDS, openStand } from './stand.ts';

export interface RoutingLiveBench {
  readonly quick: boolean;
  /** Repetitions of every policy. */
  readonly rounds: number;
  /** Events per second. */
  readonly perSecond: number;
  /** An ONNX model for `predictive`, which is left out without one. */
  readonly model: string | undefined;
  /** Folder for what the gateways record, to train a model on. Events are other ones then. */
  readonly telemetry: string | undefined;
  readonly json: string;
}

const LATE: LateBounds = { unkeyedMs: 0.8 * SEND_TIMEOUT_MS, keyedMs: 0.25 * SEND_TIMEOUT_MS };

/**
 * Policies take turns: in every repetition each goes once through the same events and the same troubles of the same
 * target, in an order that changes. False where an event was lost or a bound does not hold.
 */
export async function benchRoutingLive(options: RoutingLiveBench): Promise<boolean> {
  const { quick, rounds, perSecond, json } = options;
  const model = options.model === undefined ? undefined : resolve(options.model);
  if (model !== undefined && !existsSync(model)) throw new Error(`there is no model ${model}`);
  const telemetry = options.telemetry === undefined ? undefined : resolve(options.telemetry);
  const policies: SelectorName[] = ['round-robin', 'p2c-ewma', 'adaptive'];
  if (model !== undefined) policies.push('predictive');
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const stand = await openStand(LIVE_KINDS, log);
  let arrivals: Arrivals | undefined;
  const outcomes: Outcome[] = [];
  const blocks: object[] = [];
  try {
    arrivals = await Arrivals.open(stand.targets.map(({ place }) => place));
    for (let repetition = 0; repetition < rounds; repetition += 1) {
      const hit = LIVE_KINDS[repetition % LIVE_KINDS.length] as (typeof LIVE_KINDS)[number];
      for (const by of turn(policies, repetition)) {
        const own = {
          number: outcomes.length,
          by,
          seed: repetition + (telemetry === undefined ? 1 : 1_001),
          hit,
          perSecond,
        };
        const block = await runBlock(
          { ...own, learning: { model, telemetry }, phases: phases(quick) },
          stand.targets,
          arrivals,
        );
        const figures = figuresOf(block, LATE);
        outcomes.push({ by, repetition, hit, figures });
        blocks.push(record(block));
        const { p99, failed, unkeyedMs, lost } = figures;
        log(
          `${repetition} ${hit} ${by}: p99 ${p99.toFixed(0)} ms, failed ${failed}, left ${unkeyedMs.toFixed(0)} ms, lost ${lost}`,
        );
      }
    }
  } finally {
    await arrivals?.close();
    await stand.close();
  }
  const verdicts = verdictsOf(outcomes);
  process.stdout.write(reportOf(outcomes, verdicts));
  mkdirSync(dirname(json), { recursive: true });
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
  const settings = { quick, rounds, perSecond, model: model && basename(model), phases: phases(quick), late: LATE };
  writeFileSync(json, `${JSON.stringify({ machine, settings, verdicts, outcomes, blocks })}\n`);
  process.stdout.write(`written to ${json}\n`);
  return outcomes.every(({ figures }) => figures.lost === 0) && verdicts.every(({ value, atMost }) => value <= atMost);
}

/** Another order in each repetition, also of those that hit the same target. */
function turn(policies: readonly SelectorName[], repetition: number): readonly SelectorName[] {
  const first = (repetition + Math.floor(repetition / LIVE_KINDS.length)) % policies.length;
  const rotated = [...policies.slice(first), ...policies.slice(0, first)];
  return repetition % 2 === 0 ? rotated : rotated.reverse();
}

/** What was seen, half a second at a time: enough to draw it. */
function record({ by, hit, seed, due, taken, spans }: Block): object {
  const slices = Math.ceil((due.at(-1) ?? 0) / 500);
  const came = new Array<number>(slices).fill(0);
  const done = new Array<number>(slices).fill(0);
  const worstMs = new Array<number>(slices).fill(0);
  for (let n = 0; n < due.length; n += 1) {
    const at = due[n] as number;
    const slice = Math.floor(at / 500);
    came[slice] = (came[slice] as number) + 1;
    const end = taken[n] as number;
    if (Number.isNaN(end)) continue;
    worstMs[slice] = Math.max(worstMs[slice] as number, Math.round(end - at));
    const later = Math.floor(end / 500);
    if (later < slices) done[later] = (done[later] as number) + 1;
  }
  return { by, hit, seed, spans, sliceMs: 500, came, done, worstMs };
}
