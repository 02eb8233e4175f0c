import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that must be there, and the Debian package that has it.
 * @typedef {{ program: string, package: string }} Requirement */

/** Debian keeps servers outside the PATH of ordinary users. */
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/lib/rabbitmq/bin'];

/**
 * @param {string} program
 * @returns {string | undefined} its full path
 */
export function findProgram(program) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...EXTRA_FOLDERS];
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

// While the packages are installed no service of theirs is started: the tests run their own.
const INSTALL = `
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\\nexit 101\\n' > $policy
    chmod +x $policy
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=180 "$@"
`;

/**
 * Installs the Debian packages of the programs that are missing.
 * @param {Requirement[]} requirements
 * @param {(line: string) => void} log
 */
export async function ensurePrograms(requirements, log) {
  const missing = requirements.filter(({ program }) => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((requirement) => requirement.package))];
  const advice = `Install by hand: apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (findProgram('apt-get') === undefined) {
    const programs = missing.map(({ program }) => program).join(', ');
    throw new Error(`not found: ${programs}, and there is no apt-get to install them.\n${advice} (or their like)`);
  }
  log(`installing ${packages.join(', ')}`);
  const command = ['sh', '-ec', INSTALL, 'sh', ...packages];
  if (process.getuid?.() !== 0) command.unshift('sudo', '-n');
  const { code, output } = await collect(command);
  const still = missing.filter(({ program }) => findProgram(program) === undefined);
  if (code !== 0 || still.length > 0) {
    throw new Error(
      `apt-get could not install ${packages.join(', ')} (exit ${code}):\n${output.slice(-2000)}\n${advice}`,
    );
  }
}

/**
 * @param {string[]} command
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function collect([command = '', ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}
