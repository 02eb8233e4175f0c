import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrograms } from './packages.mjs';
import { isAlive } from './process.mjs';
import { checkProvided } from './provided.mjs';
import { BrokerRun } from './run.mjs';
import { SPECS, selectSpecs } from './specs.mjs';
import { runsRoot } from './state.mjs';

const USAGE = `Usage: npm run brokers -- <command>

  up [name…]   start the brokers that the tests use, and print their URLs
  status       show what "up" has started
  down         stop it and remove its data

Brokers: ${Object.keys(SPECS).join(', ')} (all but registry when none is named).
`;

/** @param {string} line */
const progress = (line) => process.stderr.write(`${line}\n`);
/** @param {string} line */
const print = (line) => process.stdout.write(`${line}\n`);

const dir = join(runsRoot(), 'cli');
const openRun = () => new BrokerRun(dir, { log: progress, startTimeoutMs: 120_000, removeDir: true });

/** @param {string[]} names */
async function up(names) {
  const run = openRun();
  const specs = selectSpecs(names);
  /** @param {import('./spec.mjs').BrokerSpec} spec */
  const given = ({ name, variable }) => {
    const url = process.env[variable];
    return url === undefined || url === run.state.brokers[name]?.url ? '' : url;
  };
  await ensurePrograms(
    specs.filter((spec) => !given(spec)).flatMap(({ programs }) => programs),
    progress,
  );
  const results = await Promise.allSettled(
    specs.map((spec) => (given(spec) ? checkProvided(spec, given(spec)) : run.start(spec))),
  );
  for (const [index, spec] of specs.entries()) {
    const result = results[index];
    if (result?.status === 'rejected') print(`✘ ${spec.name}`);
    else if (given(spec)) print(`✔ ${spec.name} ${given(spec)} (from ${spec.variable})`);
    else print(describe(run, spec));
  }
  for (const [index, spec] of specs.entries()) {
    if (results[index]?.status === 'fulfilled')
      print(`export ${spec.variable}=${given(spec) || run.broker(spec.name).url}`);
  }
  for (const result of results) {
    if (result.status !== 'rejected') continue;
    process.exitCode = 1;
    progress(`\n${result.reason.message}`);
  }
}

/**
 * @param {BrokerRun} run
 * @param {import('./spec.mjs').BrokerSpec} spec
 */
function describe(run, { name }) {
  const { url, log, processes } = run.broker(name);
  return `✔ ${name} ${url} (pid ${processes.at(-1)?.pid}, log ${log})`;
}

async function status() {
  const run = openRun();
  const rows = [['BROKER', 'STATE', 'PID', 'URL', 'LOG']];
  for (const { name, probe } of Object.values(SPECS)) {
    const broker = run.state.brokers[name];
    if (broker === undefined) {
      rows.push([name, 'not started', '-', '-', '-']);
      continue;
    }
    const main = broker.processes.at(-1);
    const running = main !== undefined && isAlive(main);
    const answers =
      running &&
      (await probe(broker.url, 2_000).then(
        () => true,
        () => false,
      ));
    const state = answers ? 'up' : running ? 'not answering' : 'dead';
    rows.push([name, state, String(main?.pid ?? '-'), broker.url, broker.log]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

async function down() {
  const run = openRun();
  const names = Object.keys(run.state.brokers);
  await run.stopAll();
  print(names.length > 0 ? `stopped ${names.join(', ')}` : 'nothing to stop');
}

/**
 * Keeps a second `up` or `down` out while one is at work.
 * @param {() => Promise<void>} action
 */
async function exclusively(action) {
  mkdirSync(runsRoot(), { recursive: true, mode: 0o700 });
  const lock = join(runsRoot(), 'cli.lock');
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    throw new Error(`another "up" or "down" is at work; if not, remove ${lock}`, { cause: error });
  }
  const release = () => rmSync(lock, { force: true });
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  process.once('exit', release);
  await action();
}

const [command, ...names] = process.argv.slice(2);
try {
  if (command === 'up') await exclusively(() => up(names));
  else if (command === 'status' && names.length === 0) await status();
  else if (command === 'down' && names.length === 0) await exclusively(down);
  else {
    process.stderr.write(USAGE);
    process.exitCode = command === 'help' || command === '--help' ? 0 : 2;
  }
} catch (error) {
  progress(/** @type {Error} */ (error).message);
  process.exitCode = 1;
}
