import { existsSync } from 'node:fs';
import { adapters } from '../adapters/registry.ts';
import { type Finding, formatFinding } from '../config/finding.ts';
import { type LoadResult, loadConfigFile } from '../config/load.ts';
import type { GatewayConfig } from '../config/types.ts';
import { EXIT, ExitError } from './exit.ts';

export const DEFAULT_CONFIG = 'fairlead.yaml';

/** Reads and checks a configuration file; ends the command where there is none. */
export function readConfig(file: string, env: NodeJS.ProcessEnv = process.env): LoadResult {
  if (!existsSync(file)) {
    throw new ExitError(
      EXIT.config,
      `there is no ${file}: name a file with -c, or write a starter with "fairlead init"`,
    );
  }
  return readConfigFile(file, env);
}

/** {@link readConfig} that leaves a missing file to its findings. */
export function readConfigFile(file: string, env: NodeJS.ProcessEnv = process.env): LoadResult {
  return loadConfigFile(file, { adapters, env });
}

/** The configuration of a file; prints what is wrong on stderr and ends the command if it does not hold. */
export function requireConfig(file: string, env: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const { config, findings } = readConfig(file, env);
  if (config === undefined) throw refusal(file, findings);
  return config;
}

/** The error that ends a command over a configuration that does not hold. */
export function refusal(file: string, findings: readonly Finding[]): ExitError {
  const errors = findings.filter(({ severity }) => severity === 'error').map(formatFinding);
  return new ExitError(EXIT.config, [...errors, `${file} does not hold`].join('\n'));
}
