import { adapters } from '../adapters/registry.ts';
import { createComponents, environment } from '../components.ts';
import type { CheckItem } from '../core/source.ts';
import { SchemaChecks } from '../schema-checks.ts';
import { answered, type Checked } from './answered.ts';
import { EXIT, ExitError } from './exit.ts';
import { exitFor } from './failure.ts';
import { requireConfig } from './load.ts';
import { paint, printable, table } from './terminal.ts';

export interface CheckOptions {
  readonly config: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly output: 'table' | 'json';
}

/** One line of the answer. */
export interface CheckLine extends CheckItem {
  readonly role: 'source' | 'target' | 'route';
  readonly name: string;
  /** With `kind`: of sources and targets. */
  readonly broker?: string;
  readonly kind?: string;
}

/** `fairlead check`: asks every source, target and schema whether it would work. Consumes and sends nothing. */
export async function check(options: CheckOptions): Promise<void> {
  const config = requireConfig(options.config);
  const env = environment({ adapters });
  const parts = createComponents(config, env);
  const schemas = new SchemaChecks(config, env);
  const ask = async (role: 'source' | 'target', entry: (typeof config.sources | typeof config.targets)[number]) => {
    const component = parts[`${role}s`].get(entry.name) as Checked;
    const items = await answered(component, options.timeout);
    const { name, broker, kind } = entry;
    return items.map((item): CheckLine => ({ role, name, broker, kind, ...item }));
  };
  const asked = [
    ...config.sources.map((source) => ask('source', source)),
    ...config.targets.map((target) => ask('target', target)),
    ...schemas.routes.map(async ({ name, ...route }) => {
      return (await answered(route, options.timeout)).map((item): CheckLine => ({ role: 'route', name, ...item }));
    }),
  ];
  const lines = (await Promise.all(asked)).flat();
  await Promise.allSettled([...parts.sources.values(), ...parts.targets.values()].map((part) => part.close()));
  await Promise.allSettled([...parts.brokers.values(), schemas].map((part) => part.close()));

  process.stdout.write(options.output === 'json' ? `${JSON.stringify(lines, null, 2)}\n` : checkTable(lines));
  const failed = lines.filter(({ ok }) => !ok);
  if (failed.length === 0) return;
  const code = exitFor(
    failed.map((line) => line.code),
    EXIT.unreachable,
  );
  throw new ExitError(code, `${failed.length} of ${lines.length} checks failed`);
}

function checkTable(lines: readonly CheckLine[]): string {
  const { good, bad } = paint(process.stdout);
  const text = table(
    lines.map(({ ok, role, name, broker, kind, what, code, message }) => [
      ok ? '✔' : '✘',
      `${role} ${name}`,
      broker === undefined ? '' : `${broker} (${kind})`,
      printable(what),
      ok ? '' : printable([code, message].filter((part) => part !== undefined).join(': ')),
    ]),
  );
  return text.replace(/^✔/gm, good('✔')).replace(/^✘/gm, bad('✘'));
}
