// What `npm start` and `npm test` need on a fresh clone, without any dependency: the packages, installed when they are missing or old.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const npm = process.env.npm_execpath;
const stamp = join(root, 'node_modules', '.fairlead-lock');

/** Runs a command in the project folder with this terminal; resolves with its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const forward = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, forward);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM']) process.off(name, forward);
      resolve(code ?? (signal === null ? 1 : 128));
    });
  });
}

/** Runs a command and ends this process with its code unless it succeeds. */
export async function must(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) process.exit(code);
}

/** Installs exactly what the lock file says, unless that is what is there. */
export async function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write('installing packages …\n');
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  // Not `npm ci`: it insists on lock entries for the optional packages of other platforms, which a registry may not have.
  // npm writes its own progress to stdout, which belongs to the command that was asked for.
  await must(command, [...args, 'install', '--no-save', '--loglevel=error'], { stdio: ['inherit', 2, 'inherit'] });
  writeFileSync(stamp, lock);
}

/**
 * Compiles what measures: figures and faults run on compiled code, as users do. The starter of the brokers is plain
 * JavaScript with files beside it, so it is copied.
 */
export async function compileBenches() {
  await must(bin('tsc'), ['-p', 'tsconfig.build.json']);
  await must(bin('tsc'), ['-p', 'tsconfig.bench.json']);
  cpSync(join(root, 'test/brokers'), join(root, 'build/test/brokers'), { recursive: true });
}

/** The path of an installed package's command. */
export function bin(name) {
  return join(root, 'node_modules', '.bin', name);
}
