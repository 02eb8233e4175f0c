import type { GatewayStatus } from '../status.ts';
import { ChoiceLines } from './choice-lines.ts';
import { summaryLine, summaryTable, type Totals, totalsOf } from './summary.ts';
import { isLive, paint, printable } from './terminal.ts';

const REDRAW_MS = 1_000;
const LINE_MS = 3_000;

/** Draws a gateway's status on a terminal once a second, in place; elsewhere one line every few seconds. Returns what stops it. */
export function liveSummary(read: () => GatewayStatus, stream: NodeJS.WriteStream): () => void {
  const live = isLive(stream);
  const clock = new Interval(totalsOf(read()));
  const choices = new ChoiceLines();
  let drawn = 0;
  const draw = (): void => {
    const status = read();
    const { before, after, seconds } = clock.step(totalsOf(status));
    const line = summaryLine(before, after, seconds);
    const notes = [...choices.next(status), ...troubles(status)];
    if (!live) {
      stream.write([line, ...notes, ''].join('\n'));
      return;
    }
    const lines = [line, '', ...summaryTable(before, after, seconds).trimEnd().split('\n'), ...notes];
    const width = (stream.columns || 80) - 1; // a line that wraps would not be drawn over
    const [first = '', ...others] = lines.map((text) => text.slice(0, width));
    const up = drawn > 0 ? `\u001b[${drawn}A` : '';
    stream.write(`${up}\u001b[J${[paint(stream).bold(first), ...others].join('\n')}\n`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, live ? REDRAW_MS : LINE_MS);
  return () => clearInterval(timer);
}

/** What should be up and is not, with its actual error; then the circuit breakers that are not closed. */
function troubles({ sources, targets }: GatewayStatus): string[] {
  const down = [...sources, ...targets].flatMap(({ name, health: { status: state, lastError } }) => {
    if (state === 'up' || state === 'closed') return [];
    return [
      `✘ ${name} is ${state}${lastError === undefined ? '' : `: ${lastError.code}: ${printable(lastError.message)}`}`,
    ];
  });
  const open = targets.flatMap(({ name, breaker }) => {
    if (breaker === undefined || breaker.state === 'closed') return [];
    const { state, failureRate = 0, openings } = breaker;
    const times = openings > 1 ? `, ${openings} times on end` : '';
    return [`✘ ${name}: its circuit breaker is ${state} (${Math.round(failureRate * 100)} % of sends failed${times})`];
  });
  return [...down, ...open];
}

class Interval {
  #totals: Totals;
  #at = performance.now();

  constructor(totals: Totals) {
    this.#totals = totals;
  }

  step(after: Totals): { before: Totals; after: Totals; seconds: number } {
    const before = this.#totals;
    const now = performance.now();
    const seconds = Math.max(0.001, (now - this.#at) / 1_000);
    this.#totals = after;
    this.#at = now;
    return { before, after, seconds };
  }
}
