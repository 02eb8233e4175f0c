import type { ConfigDocument } from './document.ts';
import { names } from './entries.ts';
import type { Located } from './finding.ts';
import { valueAt } from './inspect.ts';
import { didYouMean } from './suggest.ts';

type Section = 'sources' | 'targets' | 'choices' | 'models' | 'policies' | 'routes';

/** What an entry of `to` may name. */
const RECEIVERS: readonly Section[] = ['targets', 'choices'];

/** Checks that every name used stands somewhere, and that nothing else of its kind has the same. */
export function checkReferences(document: ConfigDocument): readonly Located[] {
  const found: Located[] = [];
  const known: Record<Section, readonly string[]> = {
    sources: names(document, 'sources'),
    targets: names(document, 'targets'),
    choices: names(document, 'choices'),
    models: names(document, 'models'),
    policies: names(document, 'policies'),
    routes: routeNames(document),
  };
  const check: Checks['check'] = (path, sections, where) => {
    const name = valueAt(document.value, path);
    if (typeof name !== 'string' || document.isBroken(path)) return;
    if (!sections.some((section) => known[section].includes(name)))
      found.push(unknown(name, path, sections, where, known));
  };
  const checkList: Checks['checkList'] = (path, sections, where) => {
    const list = valueAt(document.value, path);
    if (Array.isArray(list)) for (const index of list.keys()) check([...path, index], sections, where);
  };

  for (const target of known.targets) checkList(['targets', target, 'policies'], ['policies'], `targets.${target}`);
  checkChoiceNames(document, known, { check, checkList }, found);
  const routes = valueAt(document.value, ['routes']);
  const seen = new Set<unknown>();
  for (const [index, route] of (Array.isArray(routes) ? routes : []).entries()) {
    const name = valueAt(route, ['name']);
    const where = typeof name === 'string' ? `route ${name}` : `routes[${index}]`;
    checkList(['routes', index, 'from'], ['sources'], where);
    checkList(['routes', index, 'to'], RECEIVERS, where);
    check(['routes', index, 'delivery', 'deadLetter', 'target'], ['targets'], where);
    if (name !== undefined && seen.has(name)) {
      found.push(second('route', name, ['routes', index, 'name']));
    }
    seen.add(name);
  }
  checkList(['unmatched', 'to'], RECEIVERS, 'unmatched');
  checkTests(document, { check, checkList }, found);
  return found;
}

interface Checks {
  check(path: readonly PropertyKey[], sections: readonly Section[], where: string): void;
  checkList(path: readonly PropertyKey[], sections: readonly Section[], where: string): void;
}

function checkChoiceNames(
  document: ConfigDocument,
  known: Readonly<Record<Section, readonly string[]>>,
  { check, checkList }: Checks,
  found: Located[],
): void {
  for (const choice of known.choices) {
    const path = ['choices', choice];
    const where = path.join('.');
    if (known.targets.includes(choice)) {
      const message = `the choice "${choice}" has the name of a target: to: [${choice}] could mean either`;
      found.push({ severity: 'error', code: 'E_CONFIG_DUPLICATE_NAME', path, at: 'key', message });
    }
    checkList([...path, 'targets'], ['targets'], where);
    const candidates = valueAt(document.value, [...path, 'targets']);
    for (const index of Array.isArray(candidates) ? candidates.keys() : [])
      check([...path, 'targets', index, 'target'], ['targets'], where);
    check([...path, 'model'], ['models'], where);
  }
}

function checkTests(document: ConfigDocument, { check, checkList }: Checks, found: Located[]): void {
  const tests = valueAt(document.value, ['tests']);
  const seen = new Set<unknown>();
  for (const [index, test] of (Array.isArray(tests) ? tests : []).entries()) {
    const path = ['tests', index];
    const where = `tests[${index}]`;
    check([...path, 'source'], ['sources'], where);
    checkList([...path, 'expect', 'routes'], ['routes'], where);
    const legs = valueAt(test, ['expect', 'legs']);
    for (const [number, leg] of (Array.isArray(legs) ? legs : []).entries()) {
      const at = [...path, 'expect', 'legs', number];
      if (valueAt(leg, ['route']) !== 'unmatched') check([...at, 'route'], ['routes'], where);
      check([...at, 'target'], RECEIVERS, where);
      checkList([...at, 'candidates'], ['targets'], where);
    }
    const name = valueAt(test, ['name']);
    if (name !== undefined && seen.has(name)) found.push(second('test', name, [...path, 'name']));
    seen.add(name);
  }
}

function routeNames(document: ConfigDocument): readonly string[] {
  const routes = valueAt(document.value, ['routes']);
  const found = (Array.isArray(routes) ? routes : []).map((route) => valueAt(route, ['name']));
  return found.filter((name): name is string => typeof name === 'string');
}

function second(what: string, name: unknown, path: readonly PropertyKey[]): Located {
  const message = `a second ${what} is named "${String(name)}"`;
  return { severity: 'error', code: 'E_CONFIG_DUPLICATE_NAME', path, at: 'value', message };
}

function unknown(
  name: string,
  path: readonly PropertyKey[],
  sections: readonly Section[],
  where: string,
  known: Readonly<Record<Section, readonly string[]>>,
): Located {
  const there = sections.filter((section) => known[section].length > 0);
  const candidates = there.flatMap((section) => known[section]);
  const [first = 'targets'] = sections;
  const what = (there.length === 0 ? [first] : there).map(singular).join(' or ');
  const other = (section: Section): boolean => !sections.includes(section) && known[section].includes(name);
  const elsewhere = (['sources', 'targets'] as const).find(other);
  const hint =
    (other('choices') ? `"${name}" is a choice, and this must be a ${what}` : undefined) ??
    didYouMean(name, candidates) ??
    (elsewhere === undefined ? undefined : `"${name}" is a ${singular(elsewhere)}`) ??
    (candidates.length === 0 ? undefined : `known: ${candidates.join(', ')}`);
  return {
    severity: 'error',
    code: 'E_CONFIG_REFERENCE',
    path,
    at: 'value',
    message: `${where}: there is no ${what} "${name}"`,
    hint,
  };
}

function singular(section: Section): string {
  return section === 'policies' ? 'policy' : section.slice(0, -1);
}
