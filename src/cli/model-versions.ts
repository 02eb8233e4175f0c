import { type ListedModel, ModelRegistry, type ModelState } from '../modelling.ts';
import { EXIT, ExitError } from './exit.ts';
import type { ModelOptions } from './model.ts';
import { paint, printable, table } from './terminal.ts';

/** `fairlead model promote`: puts a version in force; 4 where its gate did not pass and it is not forced. */
export async function modelPromote(
  name: string,
  version: number,
  options: ModelOptions & { readonly force?: boolean },
): Promise<void> {
  const registry = new ModelRegistry(options.models);
  const { gate } = await registry.meta(name, version);
  if (gate?.passed !== true && options.force !== true) {
    const failed = gate?.checks.filter(({ passed }) => !passed) ?? [];
    const checks = failed.map((check) => (check.target === undefined ? check.name : `${check.name} ${check.target}`));
    const why = gate === null ? 'was never measured' : `did not pass: ${checks.map(printable).join(', ')}`;
    throw new ExitError(EXIT.testsFailed, `version ${version} of ${name} ${why}. --force promotes it all the same`);
  }
  tell(name, await registry.promote(name, version));
}

/** `fairlead model rollback`: puts the version before in force again. */
export async function modelRollback(name: string, options: ModelOptions): Promise<void> {
  tell(name, await new ModelRegistry(options.models).rollback(name));
}

function tell(name: string, { active, previous }: ModelState): void {
  const before = previous === null ? 'there is none to go back to' : `rollback goes to ${previous}`;
  process.stderr.write(`version ${active} of ${name} is in force; ${before}\n`);
}

const HEAD = ['NAME', 'VERSION', 'STATE', 'GATE', 'ROWS', 'LOG-MAE', 'PINBALL', 'SIMULATED', 'CREATED', 'SHA256'];

/** `fairlead model ls`: every version of every model. */
export async function modelList(options: ModelOptions & { readonly output: 'table' | 'json' }): Promise<void> {
  const models = await new ModelRegistry(options.models).list();
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(models, null, 2)}\n`);
  else if (models.length > 0) process.stdout.write(modelTable(models));
  if (models.length === 0) process.stderr.write(`no models in ${options.models}\n`);
}

function modelTable(models: readonly ListedModel[]): string {
  const rows = models.flatMap(({ name, state, versions }) =>
    versions.map(({ version, meta }) => [
      name,
      String(version),
      roles(state, version),
      meta.gate === null ? '-' : meta.gate.passed ? 'passed' : 'not passed',
      String(meta.rows),
      figure(meta.metrics['logMae']),
      figure(meta.metrics['pinball']),
      figure(meta.metrics['simulatedOverOff']),
      printable(meta.createdAt),
      meta.sha256.slice(0, 12),
    ]),
  );
  const [head = '', ...lines] = table([HEAD, ...rows], [1, 4, 5, 6, 7]).split('\n');
  return [paint(process.stdout).bold(head), ...lines].join('\n');
}

function roles(state: ModelState, version: number): string {
  const names = (['active', 'previous', 'canary', 'shadow'] as const).filter((role) => state[role] === version);
  return names.length === 0 ? '-' : names.join(', ');
}

function figure(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toPrecision(3);
}
