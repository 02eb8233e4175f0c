import { quantile } from '../stats.ts';
import type { Block, Span } from './block.ts';
import { isKeyed } from './schedule.ts';
import type { PhaseName } from './script.ts';

/** An event that is not taken after so long has failed, and counts with so many ms. */
export const GIVEN_UP_MS = 2_000;

const HALF_SECOND = 500;
/** A late event counts as a straggler (a probe, say) when of those due shortly before it no larger share was late. */
const LATE_SHARE = 0.1;
const SHORTLY_MS = 200;
const BACK = 0.95;
const USED_AGAIN = 0.5;
const STEP_MS = 50;

export interface Figures {
  readonly events: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
  /** p99 of the events that were due in a phase of this name. */
  readonly p99Of: Readonly<Partial<Record<PhaseName, number>>>;
  /**
   * From the begin of the black hole until events without a key are no more sent into it: the last of them that took
   * longer than the bound, but for stragglers. Infinity where that is not within the phase.
   */
  readonly unkeyedMs: number;
  /** The same for keyed events, of which those count as well that wait behind one of their key. */
  readonly keyedMs: number;
  /** From the begin of the black hole until 95 % of the events of each half second are taken within half a second. */
  readonly throughputMs: number;
  /** From the end of the black hole until the target gets half of the bytes that it got in the steady phase. */
  readonly againMs: number;
  readonly lost: number;
  readonly duplicates: number;
}

export interface LateBounds {
  /** What has been sent into the black hole takes longer: the timeout of a send, less a margin. */
  readonly unkeyedMs: number;
  /** At least; twice the p99 of the steady phase where that is more. */
  readonly keyedMs: number;
}

export function figuresOf(block: Block, late: LateBounds): Figures {
  const { due, spans, lost, duplicates } = block;
  const warm = span(spans, 'warm-up').to;
  const took = Array.from(due, (_, n) => latency(block, n));
  const measured = took.filter((_, n) => (due[n] as number) >= warm);
  const names = [...new Set(spans.map(({ name }) => name))].filter((name) => name !== 'warm-up');
  const hole = span(spans, 'black hole');
  const usual = 2 * quantile(within(block, took, 'steady'), 0.99);
  return {
    events: measured.length,
    failed: measured.filter((ms) => ms >= GIVEN_UP_MS).length,
    p50: quantile(measured, 0.5),
    p99: quantile(measured, 0.99),
    p99Of: Object.fromEntries(names.map((name) => [name, quantile(within(block, took, name), 0.99)])),
    unkeyedMs: left(block, took, hole, (n) => !isKeyed(n), late.unkeyedMs),
    keyedMs: left(block, took, hole, isKeyed, Math.max(late.keyedMs, usual)),
    throughputMs: throughputBack(block, took, hole, Math.max(HALF_SECOND, usual)),
    againMs: usedAgain(block),
    lost,
    duplicates,
  };
}

function latency({ due, taken }: Block, n: number): number {
  const ms = (taken[n] as number) - (due[n] as number);
  return Number.isNaN(ms) ? GIVEN_UP_MS : Math.min(ms, GIVEN_UP_MS);
}

function span(spans: readonly Span[], name: PhaseName): Span {
  const found = spans.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the script has no phase ${name}`);
  return found;
}

function within({ due, spans }: Block, took: readonly number[], name: PhaseName): readonly number[] {
  const own = spans.filter((one) => one.name === name);
  return took.filter((_, n) => own.some(({ from, to }) => (due[n] as number) >= from && (due[n] as number) < to));
}

/** When the last late event that is no straggler was due, in ms since `from`. */
function left(
  { due }: Block,
  took: readonly number[],
  { from, to }: Span,
  counts: (n: number) => boolean,
  lateMs: number,
): number {
  const own: { readonly at: number; readonly late: boolean }[] = [];
  for (let n = 0; n < due.length; n += 1) {
    const at = due[n] as number;
    if (at >= from && at < to && counts(n)) own.push({ at, late: (took[n] as number) > lateMs });
  }
  let last = 0;
  for (const [index, { at, late }] of own.entries()) {
    if (!late) continue;
    const before = own.slice(0, index + 1).filter((one) => one.at > at - SHORTLY_MS);
    if (before.filter((one) => one.late).length > LATE_SHARE * before.length) last = at - from;
  }
  return last > to - from - HALF_SECOND ? Number.POSITIVE_INFINITY : last;
}

/** The end of the last half second of the phase of whose events fewer than 95 % were taken in time. */
function throughputBack({ due }: Block, took: readonly number[], { from, to }: Span, inTimeMs: number): number {
  let back = 0;
  for (let end = from + HALF_SECOND; end <= to; end += STEP_MS) {
    let came = 0;
    let inTime = 0;
    for (const [n, ms] of took.entries()) {
      const at = due[n] as number;
      if (at < end - HALF_SECOND || at >= end) continue;
      came += 1;
      if (ms <= inTimeMs) inTime += 1;
    }
    if (inTime < BACK * came) back = end - from;
  }
  return back > to - from - STEP_MS ? Number.POSITIVE_INFINITY : back;
}

function usedAgain({ spans, passed }: Block): number {
  const steady = span(spans, 'steady');
  const recovery = span(spans, 'recovery');
  const bytesAt = (at: number): number => passed.findLast((one) => one.at <= at)?.bytes ?? 0;
  const usual = (bytesAt(steady.to) - bytesAt(steady.from)) / (steady.to - steady.from);
  for (let end = recovery.from + HALF_SECOND; end <= recovery.to; end += 50) {
    if (bytesAt(end) - bytesAt(end - HALF_SECOND) >= USED_AGAIN * usual * HALF_SECOND) return end - recovery.from;
  }
  return Number.POSITIVE_INFINITY;
}
