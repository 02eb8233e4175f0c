import { formatFinding } from '../config/finding.ts';
import { EXIT, ExitError } from './exit.ts';
import { readConfig } from './load.ts';
import { paint } from './terminal.ts';

export interface LintOptions {
  readonly config: string;
  readonly strict?: boolean;
  readonly output: 'text' | 'json';
}

/** `fairlead lint`: every mistake and risk in a configuration, on stdout; 3 where there is an error (or, strict, a warning). */
export async function lint(file: string | undefined, options: LintOptions): Promise<void> {
  const name = file ?? options.config;
  const { findings } = readConfig(name);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else for (const finding of findings) process.stdout.write(`${formatFinding(finding)}\n`);

  const counts = `${counted(errors, 'error')}, ${counted(warnings, 'warning')}`;
  const failed = errors > 0 || (options.strict === true && warnings > 0);
  const { good, bad } = paint(process.stderr);
  const line = failed ? `${bad('✘')} ${name}: ${counts}` : `${good('✔')} ${name}: ${counts}`;
  if (failed) throw new ExitError(EXIT.config, line);
  process.stderr.write(`${line}\n`);
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
