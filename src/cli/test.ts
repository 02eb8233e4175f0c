import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { adapters } from '../adapters/registry.ts';
import { environment } from '../components.ts';
import { runRouteTests, type TestResult } from '../route-tests/run.ts';
import { EXIT, ExitError } from './exit.ts';
import { requireConfig } from './load.ts';
import { paint, printable } from './terminal.ts';

export interface TestOptions {
  readonly config: string;
  readonly filter?: string;
  readonly output: 'text' | 'json';
}

/** `fairlead test`: runs the `tests` of a configuration; 4 where one fails. Connects to no broker. */
export async function test(options: TestOptions): Promise<void> {
  const config = requireConfig(options.config);
  const wanted = options.filter?.toLowerCase() ?? '';
  const tests = config.tests.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (tests.length === 0) {
    const what = config.tests.length === 0 ? 'has no tests' : `has no test whose name contains "${options.filter}"`;
    throw new ExitError(EXIT.usage, `${options.config} ${what}`);
  }
  const folder = dirname(resolve(options.config));
  const results = await runRouteTests(config, tests, {
    env: environment({ adapters }),
    readFile: (path) => readFileSync(resolve(folder, path)),
  });
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(results.map(resultText).join(''));
  const failed = results.filter(({ ok }) => !ok).length;
  const line = `${results.length} ${results.length === 1 ? 'test' : 'tests'}, ${failed} failed`;
  if (failed > 0) throw new ExitError(EXIT.testsFailed, line);
  process.stderr.write(`${line}\n`);
}

/** What was expected stands behind -, what came out behind +. */
function resultText({ name, ok, differences }: TestResult): string {
  const { good, bad, dim } = paint(process.stdout);
  const lines = [ok ? `${good('✔')} ${printable(name)}` : `${bad('✘')} ${printable(name)}`];
  let before: string | undefined;
  for (const { at, expected, actual, why } of differences) {
    if (at !== before) lines.push(`    ${printable(at)}`);
    before = at;
    const reason = why === undefined ? '' : dim(`  ${printable(why)}`);
    if (expected !== undefined)
      lines.push(bad(`      - ${printable(expected)}`) + (actual === undefined ? reason : ''));
    if (actual !== undefined) lines.push(good(`      + ${printable(actual)}`) + reason);
    if (expected === undefined && actual === undefined) lines.push(`      ${printable(why ?? '')}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
