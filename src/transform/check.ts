import { isName } from '../cloudevents/values.ts';
import { FairleadError } from '../core/errors.ts';
import { compileTemplate } from '../core/template.ts';
import type { DataStep, TransformStep } from '../core/transform.ts';
import { checked } from './attributes.ts';
import type { TransformFinding } from './finding.ts';
import { checkJsonata } from './jsonata/check.ts';
import { isWild, parseDataPath, parsePath } from './path.ts';
import { isDataName } from './view.ts';

// The only door of src/transform for src/config (ADR 0011): steps in, findings out.

export type { TransformFinding } from './finding.ts';

const REQUIRED: ReadonlySet<string> = new Set(['id', 'source', 'type', 'specversion']);

/** Everything that is wrong or risky in one step. */
export function checkStep(step: TransformStep): readonly TransformFinding[] {
  const found: TransformFinding[] = [];
  for (const [name, value] of Object.entries(step.set ?? {})) {
    found.push(...target(name, ['set', name]), ...constant(name, value));
  }
  for (const [from, to] of Object.entries(step.rename ?? {})) {
    const path = ['rename', from];
    found.push(...leaving(from, path), ...target(to, path));
  }
  found.push(...twice(Object.values(step.rename ?? {}), 'rename'));
  (step.remove ?? []).forEach((name, index) => {
    found.push(...leaving(name, ['remove', index]));
  });
  if (step.data !== undefined) found.push(...checkData(step.data));
  if (step.split !== undefined) found.push(...attempt(['split'], () => parseDataPath(step.split as string)));
  return found;
}

function checkData(step: DataStep): TransformFinding[] {
  const found: TransformFinding[] = [];
  const { jsonata, set = {}, rename = {}, remove = [], timeoutMs, maxBytes } = step;
  const fields = Object.keys(set).length + Object.keys(rename).length + remove.length;
  if (jsonata !== undefined) {
    found.push(...checkJsonata(jsonata).map((finding) => ({ ...finding, path: ['data', 'jsonata'] })));
    if (fields > 0) {
      const message = 'jsonata makes all of the data, so set, rename and remove cannot stand beside it';
      found.push(error(['data'], message, 'make them steps of their own, before or after'));
    }
  } else if (timeoutMs !== undefined || maxBytes !== undefined) {
    found.push(error(['data'], 'timeout and maxBytes are bounds of jsonata, which is not there'));
  }
  for (const [path, value] of Object.entries(set)) {
    const at = ['data', 'set', path];
    found.push(...single(path, at), ...texts(value, at));
  }
  for (const [from, to] of Object.entries(rename)) {
    const at = ['data', 'rename', from];
    found.push(...single(from, at), ...single(to, at));
  }
  found.push(...twice(Object.values(rename), 'data.rename'));
  remove.forEach((path, index) => {
    found.push(...attempt(['data', 'remove', index], () => parsePath(path)));
  });
  return found;
}

/** An attribute that is given a value. */
function target(name: string, path: readonly (string | number)[]): TransformFinding[] {
  if (name === 'data')
    return [error(path, '"data" is not an attribute', 'the data has a block of its own: data: { set: … }')];
  if (name === 'specversion') return [error(path, '"specversion" cannot be changed')];
  if (isName(name)) return [];
  return [error(path, `"${name}" is not the name of an attribute (lower-case letters and digits)`)];
}

/** An attribute that goes away. */
function leaving(name: string, path: readonly (string | number)[]): TransformFinding[] {
  if (REQUIRED.has(name)) return [error(path, `every event must have "${name}"`, 'set can give it another value')];
  if (name === 'data') return [error(path, '"data" is not an attribute', 'fields of it go by data: { remove: … }')];
  if (isName(name)) return [];
  return [error(path, `"${name}" is not the name of an attribute (lower-case letters and digits)`)];
}

function constant(name: string, value: string | number | boolean): TransformFinding[] {
  const path = ['set', name];
  if (!isName(name) || name === 'data' || name === 'specversion') return [];
  if (typeof value !== 'string') return attempt(path, () => checked(name, value));
  return [
    ...texts(value, path),
    ...attempt(path, () => {
      const template = compileTemplate(value);
      if (template.names.length === 0) checked(name, template.render(() => undefined) ?? '');
    }),
  ].slice(0, 1);
}

/** The templates in a value of the configuration. */
function texts(value: unknown, path: readonly (string | number)[]): TransformFinding[] {
  if (typeof value === 'string') {
    return attempt(path, () => {
      const wrong = compileTemplate(value).names.find((name) => name.includes('.') && !isDataName(name));
      if (wrong !== undefined) {
        throw new FairleadError({
          code: 'E_TEMPLATE',
          message: `{${wrong}} is neither an attribute nor a field: write {data.${wrong}}`,
        });
      }
    });
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner) => texts(inner, path));
}

/** A path that must lead to one field. */
function single(path: string, at: readonly (string | number)[]): TransformFinding[] {
  return attempt(at, () => {
    if (!isWild(parsePath(path))) return;
    const message = `the path "${path}" leads to many fields; "*" can only be removed`;
    throw new FairleadError({ code: 'E_TRANSFORM_PATH', message });
  });
}

function twice(names: readonly string[], where: string): TransformFinding[] {
  const again = names.find((name, index) => names.indexOf(name) !== index);
  return again === undefined ? [] : [error(where.split('.'), `two are renamed to "${again}"`)];
}

function attempt(path: readonly (string | number)[], compile: () => unknown): TransformFinding[] {
  try {
    compile();
    return [];
  } catch (failure) {
    if (!(failure instanceof FairleadError)) throw failure;
    return [{ severity: 'error', code: failure.code, path, message: failure.message }];
  }
}

function error(path: readonly (string | number)[], message: string, hint?: string): TransformFinding {
  return { severity: 'error', code: 'E_TRANSFORM_STEP', path, message, hint };
}
