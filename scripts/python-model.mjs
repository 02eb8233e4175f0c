// python-model.mjs ROWS.ndjson MODEL.onnx: runs examples/python-model in a virtual environment of its own, made in a cache
// folder outside of the project on first use. Exits with 69 where Python, pip or the packages cannot be had, and says so.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { root } from './setup.mjs';

const UNAVAILABLE = 69;
const VENV_MS = 60_000;
const INSTALL_MS = 300_000;
const TRAIN_MS = 120_000;

const [rows, model] = process.argv.slice(2);
if (rows === undefined || model === undefined) {
  process.stderr.write('usage: node scripts/python-model.mjs ROWS.ndjson MODEL.onnx\n');
  process.exit(2);
}
const example = join(root, 'examples', 'python-model');
const python = environment();
const { status, signal } = spawnSync(python, [join(example, 'train.py'), resolve(rows), resolve(model)], {
  stdio: 'inherit',
  timeout: TRAIN_MS,
  env: { ...process.env, OMP_NUM_THREADS: '1' },
});
if (signal !== null) process.stderr.write(`training took longer than ${TRAIN_MS / 1_000} s\n`);
process.exit(status ?? 1);

/** The interpreter of the environment; made once for each list of requirements. */
function environment() {
  const requirements = join(example, 'requirements.txt');
  const version = answer('python3', ['-c', 'import sys; print(sys.version)'], 10_000, 'python3 is not installed');
  const key = createHash('sha256').update(readFileSync(requirements)).update(version).digest('hex').slice(0, 12);
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fairlead');
  const folder = join(cache, `python-model-${key}`);
  const interpreter = join(folder, 'bin', 'python');
  if (existsSync(join(folder, 'complete'))) return interpreter;
  process.stderr.write(`making a Python environment in ${folder} …\n`);
  mkdirSync(cache, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  answer('python3', ['-m', 'venv', folder], VENV_MS, 'python3 cannot make a virtual environment (python3-venv)');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
  answer(interpreter, [...pip, '-r', requirements], INSTALL_MS, 'pip cannot install the packages of requirements.txt');
  mkdirSync(join(folder, 'complete'));
  return interpreter;
}

/** What a command prints; ends this process where it fails. */
function answer(command, args, timeout, otherwise) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout });
  if (status === 0) return stdout;
  const last = (stderr ?? '').trim().split('\n').at(-1) ?? '';
  process.stderr.write(`${otherwise}${last === '' ? '' : `: ${last}`}\n`);
  process.exit(UNAVAILABLE);
}
