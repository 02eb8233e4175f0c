import { readFileSync } from 'node:fs';
import { adapters } from '../adapters/registry.ts';
import { type Finding, formatFinding } from '../config/finding.ts';
import { type LoadResult, loadConfig } from '../config/load.ts';
import type { GatewayConfig } from '../config/types.ts';
import { codeOf } from '../core/errors.ts';
import { EXIT, ExitError } from './exit.ts';

export const DEFAULT_CONFIG = 'fairlead.yaml';

/** Reads and checks a configuration file; ends the command where there is none. */
export function readConfig(file: string): LoadResult {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const hint = codeOf(error) === 'ENOENT' ? ' — "fairlead init" writes a starter' : '';
    throw new ExitError(EXIT.usage, `cannot read ${file}: ${codeOf(error) ?? String(error)}${hint}`);
  }
  return loadConfig(text, { adapters, env: process.env, readFile: (path) => readFileSync(path, 'utf8'), file });
}

/** The configuration of a file; prints what is wrong on stderr and ends the command if it does not hold. */
export function requireConfig(file: string): GatewayConfig {
  const { config, findings } = readConfig(file);
  if (config === undefined) {
    for (const finding of errors(findings)) process.stderr.write(`${formatFinding(finding)}\n`);
    throw new ExitError(EXIT.config, `${file} does not hold: nothing was started`);
  }
  return config;
}

export function errors(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === 'error');
}
