import { document, route } from './mesh.ts';

/** One step of a long series of configurations. */
export interface Change {
  readonly kind: string;
  readonly valid: boolean;
  /** Text where it is not even YAML. */
  readonly document: Record<string, unknown> | string;
}

interface State {
  /** Target by type; types without one are unmatched. */
  readonly ways: readonly (string | undefined)[];
  readonly order: readonly number[];
  readonly targets: Readonly<Record<string, object>>;
  readonly sources: Readonly<Record<string, object>>;
  readonly drain: string;
}

const COLOURS = ['red', 'green', 'blue'];

/** Makes configurations that differ a little from one another; most of them in their routes only. */
export function changes(random: () => number, types: number): (what: 'first' | 'valid' | 'invalid') => Change {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const upTo = (max: number): number => Math.ceil(random() * max);
  const target = (name: string): object => ({ broker: 'here', topic: name });
  let state: State = {
    ways: Array.from({ length: types }, (_, type) => COLOURS[type % 3]),
    order: Array.from({ length: types }, (_, type) => type),
    targets: Object.fromEntries(COLOURS.map((name) => [name, target(name)])),
    sources: { in: { broker: 'here', topic: 'in' }, side: { broker: 'here', topic: 'side' } },
    drain: '5s',
  };

  const steps: Readonly<Record<string, { weight: number; apply: () => State }>> = {
    'route changed': {
      weight: 40,
      apply: () => {
        const type = upTo(types) - 1;
        return { ...state, ways: state.ways.with(type, pick(Object.keys(state.targets))) };
      },
    },
    'route removed': { weight: 15, apply: () => ({ ...state, ways: state.ways.with(upTo(types) - 1, undefined) }) },
    'routes reordered': { weight: 10, apply: () => ({ ...state, order: [...state.order].sort(() => random() - 0.5) }) },
    'settings changed': { weight: 5, apply: () => ({ ...state, drain: `${4 + upTo(5)}s` }) },
    'target changed': {
      weight: 12,
      apply: () => {
        const name = pick(Object.keys(state.targets));
        const changed = { ...target(name), batch: { maxEvents: upTo(100) } };
        return { ...state, targets: { ...state.targets, [name]: changed } };
      },
    },
    'target removed or added': {
      weight: 8,
      apply: () => {
        const name = pick(COLOURS);
        const { [name]: known, ...others } = state.targets;
        if (known === undefined) return { ...state, targets: { ...state.targets, [name]: target(name) } };
        if (Object.keys(others).length === 0) return state;
        return { ...state, targets: others, ways: state.ways.map((way) => (way === name ? undefined : way)) };
      },
    },
    'source changed': {
      weight: 10,
      apply: () => {
        const name = pick(['in', 'side']);
        return {
          ...state,
          sources: { ...state.sources, [name]: { broker: 'here', topic: name, maxBatch: 10 + upTo(90) } },
        };
      },
    },
  };

  const wrong: Readonly<Record<string, (doc: Record<string, unknown>) => Record<string, unknown> | string>> = {
    'not YAML': () => 'routes: [ {',
    'unknown target': (doc) => ({ ...doc, routes: [route('lost', ['in'], ['nowhere'])] }),
    'unknown field': (doc) => ({ ...doc, ruotes: [] }),
    'bad filter': (doc) => ({
      ...doc,
      routes: [route('x', ['in'], ['rest'], { when: { filters: [{ sql: 'a = = b' }] } })],
    }),
    'needs a restart': (doc) => ({ ...doc, name: 'renamed' }),
  };

  const render = ({ ways, order, targets, sources, drain }: State): Record<string, unknown> =>
    document({
      sources,
      targets: { ...targets, rest: target('rest') },
      routes: order.flatMap((type) => {
        const way = ways[type];
        const when = { filters: [{ exact: { type: `t.${type}` } }] };
        return way === undefined ? [] : [route(`type-${type}`, Object.keys(sources), [way], { when })];
      }),
      unmatched: { to: ['rest'] },
      drain: { deadline: drain },
    });

  return (what) => {
    if (what === 'first') return { kind: what, valid: true, document: render(state) };
    if (what === 'invalid') {
      const kind = pick(Object.keys(wrong));
      return { kind, valid: false, document: wrong[kind]?.(render(state)) ?? '' };
    }
    const names = Object.keys(steps);
    const kind = pick(names.flatMap((name) => new Array<string>(steps[name]?.weight ?? 0).fill(name)));
    state = steps[kind]?.apply() ?? state;
    return { kind, valid: true, document: render(state) };
  };
}
