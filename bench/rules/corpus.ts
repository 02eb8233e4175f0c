import { decodeJson } from '../../src/cloudevents/json.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import type { Filter, Pattern } from '../../src/core/routing.ts';
import type { MatchedRoute } from '../../src/router/linear-matcher.ts';

/** What the rules of a set ask for. `mixed` is half two exact fields, a quarter prefix and exact, an eighth suffix, an eighth wildcard. */
export const KINDS = ['exact', 'prefix', 'numeric', 'cesql', 'mixed'] as const;
export type Kind = (typeof KINDS)[number];

/**
 * Where the rules look: at attributes of events that are decoded already; into the body of events that come as the bytes of
 * the JSON format; into a body that comes as bytes beside its attributes, as in binary mode.
 */
export const PLACES = ['attributes', 'bytes', 'body'] as const;
export type Place = (typeof PLACES)[number];

/** A test of the naive loop: what one would write by hand for a rule. */
export type Closure = (event: Fields) => boolean;

/** The fields that rules ask for; of an attribute set the event's, of a body set the body's. */
export interface Fields {
  readonly kind: string;
  readonly zone: string;
  readonly owner: string;
  readonly unit: string;
  readonly path: string;
  readonly value: number;
}

export interface Rule {
  readonly route: MatchedRoute;
  readonly closure: Closure;
  /** The same as an event pattern, for the peers. */
  readonly pattern: Pattern;
}

const KIND_COUNT = 20;
const ZONE_COUNT = 5;

/** The rule of that number: each asks for values of its own, beside fields that have few values. */
export function rule(kind: Kind, place: Place, n: number): Rule {
  switch (kind) {
    case 'exact':
      return exact(place, n);
    case 'prefix':
      return withPattern(place, { path: [{ prefix: `line-${n}/` }] }, ({ path }) => path.startsWith(`line-${n}/`), {
        prefix: { subject: `line-${n}/` },
      });
    case 'numeric': {
      const [low, high] = [n, n + 1];
      const test = { value: [{ numeric: ['>=', low, '<', high] }] };
      return withPattern(place, test, ({ value }) => value >= low && value < high);
    }
    case 'cesql':
      return cesql(place, n);
    case 'mixed':
      return mixed(place, n);
  }
}

function exact(place: Place, n: number): Rule {
  const owner = `owner-${n}`;
  return withPattern(place, { owner: [owner] }, (event) => event.owner === owner, { exact: { owner } });
}

function cesql(place: Place, n: number): Rule {
  const [kind, unit] = [`com.acme.k${n % KIND_COUNT}`, `/u-${n}`];
  const sql = `type = '${kind}' AND source LIKE '%${unit}' AND value >= 0`;
  const pattern = placed(place, { kind: [kind], unit: [{ suffix: unit }] });
  const closure: Closure = (event) => event.kind === kind && event.unit.endsWith(unit) && event.value >= 0;
  return { route: route({ filters: [{ sql }] }), closure, pattern };
}

function mixed(place: Place, n: number): Rule {
  const kind = `com.acme.k${n % KIND_COUNT}`;
  const owner = `owner-${n}`;
  const zone = `zone-${n % ZONE_COUNT}`;
  switch (n % 8) {
    case 0:
    case 1:
    case 2:
    case 3:
      return withPattern(place, { kind: [kind], owner: [owner] }, (e) => e.kind === kind && e.owner === owner, {
        exact: { type: kind, owner },
      });
    case 4:
    case 5: {
      const test = { zone: [zone], path: [{ prefix: `line-${n}/` }] };
      return withPattern(place, test, (e) => e.zone === zone && e.path.startsWith(`line-${n}/`), {
        exact: { zone },
        prefix: { subject: `line-${n}/` },
      });
    }
    case 6:
      return withPattern(place, { unit: [{ suffix: `/u-${n}` }] }, (e) => e.unit.endsWith(`/u-${n}`), {
        suffix: { source: `/u-${n}` },
      });
    default: {
      const wanted = `-x${n}-`;
      const closure: Closure = ({ path }) => path.startsWith('line-') && path.indexOf(wanted, 5) >= 0;
      return withPattern(place, { path: [{ wildcard: `line-*${wanted}*` }] }, closure);
    }
  }
}

type Test = Readonly<Record<string, readonly unknown[]>>;

function withPattern(place: Place, test: Test, closure: Closure, filter?: Filter): Rule {
  const pattern = placed(place, test);
  if (place !== 'attributes' || filter === undefined) return { route: route({ pattern }), closure, pattern };
  return { route: route({ filters: [filter] }), closure, pattern };
}

/** The names of the fields as attributes. */
const ATTRIBUTE: Readonly<Record<string, string>> = { kind: 'type', unit: 'source', path: 'subject' };

function placed(place: Place, test: Test): Pattern {
  if (place === 'attributes')
    return Object.fromEntries(Object.entries(test).map(([name, tests]) => [ATTRIBUTE[name] ?? name, tests]));
  const { owner, ...rest } = test;
  return { data: { ...rest, ...(owner === undefined ? {} : { device: { owner } }) } };
}

function route(over: Partial<MatchedRoute>): MatchedRoute {
  return { from: [0], filters: [], continue: true, disabled: false, ...over };
}

/** A number below `n`, the same every time. */
function scattered(seed: number, n: number): number {
  return (Math.imul(seed + 1, 0x9e3779b1) >>> 0) % n;
}

/**
 * Events of about 500 bytes in the JSON format. Every hundredth of `hitPercent` is made for one of the `rules` of that kind;
 * the others have values that no rule asks for, among the same kinds and zones.
 */
export function eventBytes(kind: Kind, rules: number, count: number, hitPercent: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => {
    const hit = scattered(at, 100) < hitPercent;
    return Buffer.from(JSON.stringify(eventFor(kind, at, hit ? scattered(at * 7 + 3, rules) : undefined)));
  });
}

function eventFor(kind: Kind, at: number, n: number | undefined): unknown {
  const miss = 1_000_000 + scattered(at, 1_000_000);
  const own = n ?? miss;
  const rest = { owner: miss, line: miss, unit: miss, piece: miss };
  const wanted = kind === 'mixed' ? MIXED[own % 8] : undefined;
  if (kind === 'exact' || wanted === 'owner') rest.owner = own;
  if (kind === 'prefix' || wanted === 'line') rest.line = own;
  if (kind === 'cesql' || wanted === 'unit') rest.unit = own;
  if (wanted === 'piece') rest.piece = own;
  const fields = {
    kind: `com.acme.k${own % KIND_COUNT}`,
    zone: `zone-${own % ZONE_COUNT}`,
    owner: `owner-${rest.owner}`,
    unit: `/plants/hamburg/u-${rest.unit}`,
    path: `line-${rest.line}/station-4-x${rest.piece}-out`,
    value: kind === 'numeric' ? own : at % 1000,
  };
  return {
    specversion: '1.0',
    id: `0193f6a8-7c1e-7${String(at).padStart(11, '0')}`,
    source: fields.unit,
    type: fields.kind,
    subject: fields.path,
    time: '2026-01-02T03:04:05.123456Z',
    datacontenttype: 'application/json',
    owner: fields.owner,
    zone: fields.zone,
    value: fields.value,
    data: {
      kind: fields.kind,
      device: { owner: fields.owner, model: 'TX-200' },
      zone: fields.zone,
      unit: fields.unit,
      path: fields.path,
      value: fields.value,
      status: 'ok',
    },
  };
}

const MIXED = ['owner', 'owner', 'owner', 'owner', 'line', 'line', 'unit', 'piece'] as const;

/** Decodes each event, as the source of a gateway does. */
export function decoded(bytes: readonly Buffer[]): MeshEvent[] {
  return bytes.map((one) => decodeJson(one));
}
