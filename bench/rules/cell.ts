import { decodeJson } from '../../src/cloudevents/json.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import type { RouteMatcher } from '../../src/core/routing.ts';
import { median } from '../stats.ts';
import { type Closure, decoded, eventBytes, type Fields, type Kind, type Place, type Rule } from './corpus.ts';
import { ratePerCpuSecond } from './cpu.ts';

/** Distinct events that the measurement goes round. */
const RING = 10_000;
/** Rules that the naive loop is still tried with. */
const MAX_NAIVE = 10_000;

/** Rates in events per CPU-second, medians of the rounds. */
export interface Cell {
  readonly kind: Kind;
  readonly place: Place;
  readonly rules: number;
  readonly hitPercent: number;
  readonly matchesPerEvent: number;
  readonly bytesPerEvent: number;
  readonly index: number;
  /** `JSON.parse` of the whole event, or of the body where only that comes as bytes, and nothing else. */
  readonly parse: number;
  /** Closures in a loop over the same events, parsed by `JSON.parse` where the index gets bytes. */
  readonly closures: number | undefined;
}

export interface CellOptions {
  readonly kind: Kind;
  readonly place: Place;
  readonly rules: readonly Rule[];
  readonly matcher: RouteMatcher;
  readonly hitPercent: number;
  readonly rounds: number;
  readonly roundMs: number;
}

/** Measures the index beside the parse alone and the naive loop, in turns. */
export function measureCell(options: CellOptions): Cell {
  const { kind, place, rules, matcher, hitPercent, rounds, roundMs } = options;
  const bytes = eventBytes(kind, rules.length, RING, hitPercent);
  const events = decoded(bytes);
  const fields = events.map((event) => fieldsOf(event));
  const closures = rules.map(({ closure }) => closure);
  const { index, naive, parse } = worksOf(options, bytes, events, fields);
  const perEvent = agreed(matcher, events, fields, closures, place);
  const withNaive = rules.length <= MAX_NAIVE;
  const rates = { index: [] as number[], parse: [] as number[], closures: [] as number[] };
  for (let round = -1; round < rounds; round += 1) {
    const taken = {
      index: ratePerCpuSecond(index, roundMs),
      parse: ratePerCpuSecond(parse, roundMs),
      closures: withNaive ? ratePerCpuSecond(naive, roundMs) : Number.NaN,
    };
    if (round < 0) continue; // warm-up
    rates.index.push(taken.index);
    rates.parse.push(taken.parse);
    rates.closures.push(taken.closures);
  }
  return {
    kind,
    place,
    rules: rules.length,
    hitPercent,
    matchesPerEvent: perEvent,
    bytesPerEvent: bytes.reduce((sum, { length }) => sum + length, 0) / RING,
    index: median(rates.index),
    parse: median(rates.parse),
    closures: withNaive ? median(rates.closures) : undefined,
  };
}

type Work = (at: number) => void;

/** What is measured, by number of the event. */
function worksOf(
  { place, matcher, rules }: CellOptions,
  bytes: readonly Buffer[],
  events: readonly MeshEvent[],
  fields: readonly Fields[],
): Readonly<Record<'index' | 'naive' | 'parse', Work>> {
  const out: number[] = [];
  const closures = rules.map(({ closure }) => closure);
  const texts = place === 'body' ? events.map(({ data }) => data as Buffer) : bytes;
  const parsed = (at: number): unknown => JSON.parse((texts[at % RING] as Buffer).toString());
  const parse: Work = (at) => {
    out[0] = parsed(at) === null ? 1 : 0; // used, so that nothing is left out
  };
  const inBody =
    (body: (at: number) => Body): Work =>
    (at) => {
      loop(closures, bodyFields(body(at)), out);
    };
  switch (place) {
    case 'attributes':
      return {
        index: (at) => matcher.match(events[at % RING] as MeshEvent, 0, out),
        naive: (at) => loop(closures, fields[at % RING] as Fields, out),
        parse,
      };
    case 'bytes':
      return {
        index: (at) => matcher.match(decodeJson(bytes[at % RING] as Buffer), 0, out),
        naive: inBody((at) => (parsed(at) as { readonly data: Body }).data),
        parse,
      };
    case 'body':
      return {
        index: (at) => matcher.match((events[at % RING] as MeshEvent).with({}), 0, out),
        naive: inBody((at) => parsed(at) as Body),
        parse,
      };
  }
}

function loop(closures: readonly Closure[], event: Fields, out: number[]): number {
  let count = 0;
  for (let at = 0; at < closures.length; at += 1) {
    if (!(closures[at] as Closure)(event)) continue;
    out[count] = at;
    count += 1;
  }
  return count;
}

/** Matches per event; throws where the index and the naive loop do not match the same. */
function agreed(
  matcher: RouteMatcher,
  events: readonly MeshEvent[],
  fields: readonly Fields[],
  closures: readonly Closure[],
  place: Place,
): number {
  const checked = Math.max(20, Math.min(RING, Math.floor(20_000_000 / closures.length)));
  let matches = 0;
  events.forEach((event, at) => {
    const found: number[] = [];
    const count = matcher.match(event, 0, found);
    matches += count;
    if (at >= checked) return;
    const expected: number[] = [];
    loop(closures, place === 'attributes' ? (fields[at] as Fields) : bodyFields(event.json() as Body), expected);
    if (found.slice(0, count).join() !== expected.join())
      throw new Error(`the index matched [${found.slice(0, count)}], the naive loop [${expected}]`);
  });
  return matches / events.length;
}

function fieldsOf(event: MeshEvent): Fields {
  const { type, source, subject = '', extensions } = event;
  return {
    kind: type,
    unit: source,
    path: subject,
    owner: String(extensions['owner']),
    zone: String(extensions['zone']),
    value: Number(extensions['value']),
  };
}

type Body = Omit<Fields, 'owner'> & { readonly device: { readonly owner: string } };

function bodyFields(body: Body): Fields {
  const { kind, zone, unit, path, value, device } = body;
  return { kind, zone, unit, path, value, owner: device.owner };
}
