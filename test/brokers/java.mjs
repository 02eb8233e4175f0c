import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './packages.mjs';

/** @type {import('./packages.mjs').Requirement[]} */
export const JAVA_PROGRAMS = [
  { program: 'java', package: 'openjdk-17-jre-headless' },
  { program: 'mvn', package: 'maven' },
];

/** The java of JAVA_HOME, else the one on the PATH. Kafka needs 17 or newer. */
export function javaCommand() {
  const home = process.env['JAVA_HOME'];
  const preferred = home ? join(home, 'bin', 'java') : undefined;
  return preferred !== undefined && existsSync(preferred) ? preferred : (findProgram('java') ?? 'java');
}
