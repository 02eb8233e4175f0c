import { afterAll, expect, test } from 'vitest';
import type { MeshEvent } from '../../../src/core/event.ts';
import type { RouteMatcher } from '../../../src/core/routing.ts';
import { IndexedMatcher } from '../../../src/router/index/indexed-matcher.ts';
import { LinearMatcher, type MatchedRoute } from '../../../src/router/linear-matcher.ts';
import { Randomness } from './random.ts';

const SETS = 1_200;
const EVENTS = 48;

const count = { pairs: 0, routes: 0, matched: 0 };
const seed = Number(process.env['FAIRLEAD_TEST_SEED'] ?? 3);

afterAll(() => {
  process.stdout.write(
    `index against linear matcher: ${count.pairs} pairs of a rule set and an event (${count.routes} rules, ` +
      `${count.matched} matches, seed ${seed}): all the same\n`,
  );
});

test('the index matches what the linear matcher matches', () => {
  for (let set = 0; set < SETS; set += 1) {
    const random = new Randomness(seed * 1_000_003 + set);
    const routes = random.routes();
    const events = random.some(EVENTS, EVENTS, () => random.event());
    count.routes += routes.length;
    const failed = different(routes, events);
    if (failed !== undefined) expect.unreachable(`seed ${seed}, set ${set}: ${describe(routes, failed)}`);
  }
  expect(count.pairs).toBeGreaterThanOrEqual(100_000);
  expect(count.matched).toBeGreaterThan(100_000);
});

/** The first event that the two disagree on. */
function different(routes: readonly MatchedRoute[], events: readonly MeshEvent[]): MeshEvent | undefined {
  const told = { linear: [] as number[], index: [] as number[] };
  const linear = new LinearMatcher(routes, (route) => told.linear.push(route));
  const index = new IndexedMatcher(routes, (route) => told.index.push(route));
  for (const event of events) {
    for (const source of [0, 1]) {
      count.pairs += 1;
      told.linear = [];
      told.index = [];
      const expected = matchesOf(linear, event, source);
      if (expected.join() !== matchesOf(index, event, source).join()) return event;
      // What the index rules out is not evaluated; whatever is tells its errors in the same order.
      const evaluated = told.linear.filter((route) => told.index.includes(route));
      if (evaluated.join() !== told.index.join()) return event;
      count.matched += expected.length;
    }
  }
  return undefined;
}

function matchesOf(matcher: RouteMatcher, event: MeshEvent, source: number): number[] {
  const out: number[] = [];
  return out.slice(0, matcher.match(event, source, out));
}

/** As few of the routes as still differ, and the event. */
function describe(routes: readonly MatchedRoute[], event: MeshEvent): string {
  let few = routes;
  for (let at = few.length - 1; at >= 0; at -= 1) {
    const fewer = few.filter((_, other) => other !== at);
    if (different(fewer, [event]) !== undefined) few = fewer;
  }
  const out = [new LinearMatcher(few), new IndexedMatcher(few)].map((matcher) => matchesOf(matcher, event, 0).join());
  return `${JSON.stringify(few)} on ${JSON.stringify({ ...event, data: event.data?.toString() })}: linear [${out[0]}], index [${out[1]}]`;
}
