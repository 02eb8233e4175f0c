import type { ConfigDocument } from './document.ts';
import { names } from './entries.ts';
import type { Located } from './finding.ts';
import { valueAt } from './inspect.ts';
import { didYouMean } from './suggest.ts';

type Section = 'sources' | 'targets' | 'policies' | 'routes';

/** Checks that every name used stands somewhere, and that no two routes have the same. */
export function checkReferences(document: ConfigDocument): readonly Located[] {
  const found: Located[] = [];
  const known: Record<Section, readonly string[]> = {
    sources: names(document, 'sources'),
    targets: names(document, 'targets'),
    policies: names(document, 'policies'),
    routes: routeNames(document),
  };
  const check = (path: readonly PropertyKey[], section: Section, where: string): void => {
    const name = valueAt(document.value, path);
    if (typeof name !== 'string' || known[section].includes(name) || document.isBroken(path)) return;
    found.push(unknown(name, path, section, where, known));
  };
  const checkList = (path: readonly PropertyKey[], section: Section, where: string): void => {
    const list = valueAt(document.value, path);
    if (Array.isArray(list)) for (const index of list.keys()) check([...path, index], section, where);
  };

  for (const target of known.targets) checkList(['targets', target, 'policies'], 'policies', `targets.${target}`);
  const routes = valueAt(document.value, ['routes']);
  const seen = new Set<unknown>();
  for (const [index, route] of (Array.isArray(routes) ? routes : []).entries()) {
    const name = valueAt(route, ['name']);
    const where = typeof name === 'string' ? `route ${name}` : `routes[${index}]`;
    checkList(['routes', index, 'from'], 'sources', where);
    checkList(['routes', index, 'to'], 'targets', where);
    check(['routes', index, 'delivery', 'deadLetter', 'target'], 'targets', where);
    if (name !== undefined && seen.has(name)) {
      found.push(second('route', name, ['routes', index, 'name']));
    }
    seen.add(name);
  }
  checkList(['unmatched', 'to'], 'targets', 'unmatched');
  checkTests(document, { check, checkList }, found);
  return found;
}

interface Checks {
  check(path: readonly PropertyKey[], section: Section, where: string): void;
  checkList(path: readonly PropertyKey[], section: Section, where: string): void;
}

function checkTests(document: ConfigDocument, { check, checkList }: Checks, found: Located[]): void {
  const tests = valueAt(document.value, ['tests']);
  const seen = new Set<unknown>();
  for (const [index, test] of (Array.isArray(tests) ? tests : []).entries()) {
    const path = ['tests', index];
    const where = `tests[${index}]`;
    check([...path, 'source'], 'sources', where);
    checkList([...path, 'expect', 'routes'], 'routes', where);
    const legs = valueAt(test, ['expect', 'legs']);
    for (const [number, leg] of (Array.isArray(legs) ? legs : []).entries()) {
      const at = [...path, 'expect', 'legs', number];
      if (valueAt(leg, ['route']) !== 'unmatched') check([...at, 'route'], 'routes', where);
      check([...at, 'target'], 'targets', where);
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
  section: Section,
  where: string,
  known: Readonly<Record<Section, readonly string[]>>,
): Located {
  const one = section === 'policies' ? 'policy' : section.slice(0, -1);
  const elsewhere = (['sources', 'targets'] as const).find((other) => other !== section && known[other].includes(name));
  const hint =
    didYouMean(name, known[section]) ??
    (elsewhere === undefined ? undefined : `"${name}" is a ${elsewhere.slice(0, -1)}`) ??
    (known[section].length === 0 ? undefined : `known: ${known[section].join(', ')}`);
  return {
    severity: 'error',
    code: 'E_CONFIG_REFERENCE',
    path,
    at: 'value',
    message: `${where}: there is no ${one} "${name}"`,
    hint,
  };
}
