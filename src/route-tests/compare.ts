import { isUtf8 } from 'node:buffer';
import type { LegExpectation, RouteExpectation } from '../config/types.ts';
import type { AttributeValue, MeshEvent } from '../core/event.ts';
import type { EventOutcome, LegOutcome } from '../outcomes.ts';
import type { Difference } from './difference.ts';
import { jsonDifferences } from './json-differences.ts';

/** Everything in which an outcome is not as expected. A leg that fails, and that nothing expects to fail, is one too. */
export function compareOutcome(expectation: RouteExpectation, outcome: EventOutcome): readonly Difference[] {
  const { routes, legs, unmatched, error } = expectation;
  return [
    ...(routes === undefined ? [] : compareRoutes(routes, outcome)),
    ...(unmatched === undefined ? [] : compareUnmatched(unmatched, outcome)),
    ...(legs === undefined ? [] : compareLegs(legs, outcome)),
    ...compareErrors(expectation, error, outcome),
  ];
}

function compareRoutes(expected: readonly string[], outcome: EventOutcome): readonly Difference[] {
  const matched = outcome.routes.filter((verdict) => verdict.matched).map(({ route }) => route);
  return [
    ...[...new Set(expected)]
      .filter((route) => !matched.includes(route))
      .map((route) => ({ at: 'routes', expected: route, ...whyNot(route, outcome) })),
    ...matched.filter((route) => !expected.includes(route)).map((route) => ({ at: 'routes', actual: route })),
  ];
}

function whyNot(name: string, { routes }: EventOutcome): { why?: string } {
  const refusal = routes.find(({ route }) => route === name)?.refusal;
  return refusal === undefined ? {} : { why: `${refusal.at}: ${refusal.message}` };
}

function compareUnmatched(expected: boolean, outcome: EventOutcome): readonly Difference[] {
  const actual = outcome.unmatched !== undefined;
  if (actual === expected) return [];
  const matched = outcome.routes.filter((verdict) => verdict.matched).map(({ route }) => route);
  const why = actual ? {} : { why: `matched by ${matched.join(', ')}` };
  return [{ at: 'unmatched', expected: String(expected), actual: String(actual), ...why }];
}

/** Legs of the same route and target are several after a split; they are held against one another in their order. */
function compareLegs(expected: readonly LegExpectation[], outcome: EventOutcome): readonly Difference[] {
  const left = new Map<string, LegOutcome[]>();
  for (const leg of outcome.legs) left.set(nameOf(leg), [...(left.get(nameOf(leg)) ?? []), leg]);
  const found: Difference[] = [];
  for (const wanted of expected) {
    const leg = left.get(nameOf(wanted))?.shift();
    if (leg === undefined) found.push({ at: 'legs', expected: nameOf(wanted), ...whyNot(wanted.route, outcome) });
    else found.push(...compareLeg(wanted, leg));
  }
  for (const leg of [...left.values()].flat()) found.push({ at: 'legs', actual: nameOf(leg) });
  return found;
}

function nameOf({ route, target }: { readonly route: string; readonly target: string }): string {
  return `${route} → ${target}`;
}

/** The targets of a choice that the event may go to, in any order. */
function compareCandidates(
  name: string,
  expected: readonly string[] | undefined,
  { candidates = [] }: LegOutcome,
): readonly Difference[] {
  if (expected === undefined) return [];
  const at = `${name}: candidates`;
  const refusals = new Map(candidates.map(({ target, refusal }) => [target, refusal]));
  const eligible = candidates.flatMap(({ target, refusal }) => (refusal === undefined ? [target] : []));
  return [
    ...expected
      .filter((target) => !eligible.includes(target))
      .map((target) => {
        const refusal = refusals.get(target);
        const why = refusal === undefined ? 'not a target of it' : `${refusal.at}: ${refusal.message}`;
        return { at, expected: target, why };
      }),
    ...eligible.filter((target) => !expected.includes(target)).map((target) => ({ at, actual: target })),
  ];
}

function compareLeg(expected: LegExpectation, leg: LegOutcome): readonly Difference[] {
  const name = nameOf(leg);
  const candidates = compareCandidates(name, expected.candidates, leg);
  if (leg.error !== undefined) {
    if (expected.error === leg.error.code) return candidates;
    const actual = { actual: leg.error.code, why: leg.error.message };
    const found = {
      at: `${name}: error`,
      ...(expected.error === undefined ? {} : { expected: expected.error }),
      ...actual,
    };
    return [...candidates, found];
  }
  if (expected.error !== undefined) return [...candidates, { at: `${name}: error`, expected: expected.error }];
  const event = leg.event as MeshEvent;
  return [
    ...candidates,
    ...Object.entries(expected.attributes ?? {}).flatMap(([attribute, value]) =>
      compareAttribute(`${name}: attributes.${attribute}`, value, event.attribute(attribute)),
    ),
    ...(expected.without ?? []).flatMap((attribute) => {
      const value = event.attribute(attribute);
      return value === undefined ? [] : [{ at: `${name}: attributes.${attribute}`, actual: attributeText(value) }];
    }),
    ...(expected.data === undefined ? [] : compareData(`${name}: data`, expected.data, event)),
  ];
}

/** Text stands for a value of any type that reads so; a number or Boolean wants its own type. */
function compareAttribute(
  at: string,
  expected: string | number | boolean,
  actual: AttributeValue | undefined,
): readonly Difference[] {
  if (actual === undefined) return [{ at, expected: attributeText(expected) }];
  const plain = Buffer.isBuffer(actual) ? actual.toString('base64') : actual;
  if (typeof expected === 'string' ? expected === String(plain) : expected === plain) return [];
  return [{ at, expected: attributeText(expected), actual: attributeText(actual) }];
}

function attributeText(value: AttributeValue): string {
  return Buffer.isBuffer(value) ? `${value.toString('base64')} (bytes)` : JSON.stringify(value);
}

function compareData(at: string, expected: unknown, event: MeshEvent): readonly Difference[] {
  const { data } = event;
  if (data === undefined) return [{ at, expected: JSON.stringify(expected), why: 'the event has no data' }];
  const json = event.json();
  if (json !== undefined) return jsonDifferences(at, expected, json);
  const text = isUtf8(data) ? data.toString() : undefined;
  if (text === undefined)
    return [{ at, expected: JSON.stringify(expected), why: `the data is ${data.length} bytes and no text` }];
  return text === expected ? [] : [{ at, expected: JSON.stringify(expected), actual: JSON.stringify(text) }];
}

/** Legs that fail although neither the expectation of a leg nor `error` says so, and an `error` that nobody has. */
function compareErrors(
  { legs: expectedLegs }: RouteExpectation,
  expected: string | undefined,
  { legs }: EventOutcome,
): readonly Difference[] {
  const failed = legs.filter((leg) => leg.error !== undefined);
  if (expected !== undefined && !failed.some(({ error }) => error?.code === expected))
    return [{ at: 'error', expected }];
  if (expectedLegs !== undefined) return []; // told of there
  return failed
    .filter(({ error }) => error?.code !== expected)
    .map((leg) => ({
      at: `${nameOf(leg)}: error`,
      actual: leg.error?.code as string,
      why: leg.error?.message as string,
    }));
}
