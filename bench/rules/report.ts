import type { Cell } from './cell.ts';
import { holds, type Must } from './musts.ts';
import type { Part } from './part.ts';
import type { PeerRun } from './peers.ts';

const WHERE: Readonly<Record<Cell['place'], string>> = {
  attributes: 'attributes only (events decoded)',
  bytes: 'bytes in (decode, read the body, match)',
  body: 'body in (attributes known, read the body, match; JSON.parse of the body)',
};

/** The figures of one kind of rules at one place, as lines of text. */
export function partTable({ cells, builds }: Part): string {
  const [first] = cells;
  if (first === undefined) return '';
  const lines = [
    `\n${first.kind}, ${WHERE[first.place]}; ${Math.round(first.bytesPerEvent)} bytes an event; events per CPU-second\n`,
    row(['rules', 'hit %', 'index', 'µs', 'closures', '÷ closures', 'JSON.parse', '÷ parse']),
  ];
  for (const { rules, hitPercent, index, closures, parse } of cells) {
    lines.push(
      row([
        whole(rules),
        String(hitPercent),
        whole(index),
        (1e6 / index).toFixed(2),
        closures === undefined ? '–' : whole(closures),
        closures === undefined ? '–' : (index / closures).toPrecision(3),
        whole(parse),
        (index / parse).toPrecision(3),
      ]),
    );
  }
  lines.push('', row(['rules', 'build ms', 'CPU ms', 'slices', 'stall ms', 'bytes/rule', 'heap MiB', 'peak MiB']));
  for (const { rules, wallMs, cpuMs, slices, stallMs, heapBytes, peakRssBytes } of builds) {
    lines.push(
      row([
        whole(rules),
        wallMs.toFixed(0),
        cpuMs.toFixed(0),
        String(slices),
        stallMs.toFixed(1),
        rules < 1_000 ? '–' : whole(heapBytes / rules),
        (heapBytes / 2 ** 20).toFixed(1),
        (peakRssBytes / 2 ** 20).toFixed(1),
      ]),
    );
  }
  return `${lines.join('\n')}\n`;
}

export function peerTable(peers: readonly PeerRun[]): string {
  const lines = peers.map((peer) => {
    if ('skipped' in peer) return `${peer.name}: skipped, ${peer.skipped}`;
    const { name, rules, rate, matchesPerEvent } = peer;
    return `${name}: ${whole(rate)} events per CPU-second, ${whole(rules)} mixed rules, ${matchesPerEvent.toFixed(2)} matches per event`;
  });
  return lines.length === 0 ? '' : `\npeers, the same rules and bodies, mixed, 50 % hits\n${lines.join('\n')}\n`;
}

export function mustList(musts: readonly Must[]): string {
  const lines = musts.map((must) => {
    const { what, value, unit, bound, stretch } = must;
    const wanted = 'atMost' in bound ? `≤ ${whole(bound.atMost)}` : `≥ ${whole(bound.atLeast)}`;
    const held = holds(must);
    const verdict = held === undefined ? 'not measured' : held ? 'holds' : 'DOES NOT HOLD';
    const reached = value !== undefined && stretch !== undefined && reaches(value, must, stretch);
    const more = stretch === undefined ? '' : `, stretch ${whole(stretch)}${reached ? ' reached' : ''}`;
    return `${verdict.padEnd(14)} ${what}: ${value === undefined ? '–' : whole(value)} ${unit} (must ${wanted}${more})`;
  });
  return `\nmusts\n${lines.join('\n')}\n`;
}

function reaches(value: number, { bound }: Must, stretch: number): boolean {
  return 'atMost' in bound ? value <= stretch : value >= stretch;
}

function row(columns: readonly string[]): string {
  return columns.map((column) => column.padStart(12)).join('');
}

function whole(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}
