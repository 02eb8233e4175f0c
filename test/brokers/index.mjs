import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePrograms } from './packages.mjs';
import { checkProvided } from './provided.mjs';
import { BrokerRun } from './run.mjs';
import { SPECS, selectSpecs } from './specs.mjs';
import { runsRoot } from './state.mjs';

/** @typedef {import('./index.mjs').BrokerName} BrokerName */

export const BROKER_NAMES = /** @type {BrokerName[]} */ (Object.keys(SPECS));

function newRunDir() {
  mkdirSync(runsRoot(), { recursive: true, mode: 0o700 });
  return mkdtempSync(join(runsRoot(), `run-${process.pid}-`));
}

/**
 * Starts a process that stops the brokers should this one die without doing so.
 * @param {string} dir
 * @returns {() => void} ends the guard
 */
function startGuard(dir) {
  const guard = fileURLToPath(new URL('guard.mjs', import.meta.url));
  const child = spawn(process.execPath, [guard, dir], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
  child.on('error', () => {});
  child.unref();
  const { stdin } = child;
  stdin.on('error', () => {});
  /** @type {import('node:net').Socket} */ (stdin).unref();
  return () => stdin.end();
}

/**
 * @param {import('./index.mjs').StartOptions} [options]
 * @returns {Promise<import('./index.mjs').Brokers>}
 */
export async function startBrokers(options = {}) {
  const { names = [], log = () => {}, settings = {}, startTimeoutMs = 120_000 } = options;
  const specs = selectSpecs(names);
  const provided = specs.filter(({ variable }) => process.env[variable]);
  const own = specs.filter((spec) => !provided.includes(spec));
  await Promise.all(provided.map((spec) => checkProvided(spec, process.env[spec.variable] ?? '')));
  await ensurePrograms(
    own.flatMap(({ programs }) => programs),
    log,
  );

  const dir = options.dir ?? newRunDir();
  const run = new BrokerRun(dir, { log, startTimeoutMs, removeDir: options.dir === undefined });
  const endGuard = own.length > 0 ? startGuard(dir) : () => {};

  const stop = async () => {
    await run.stopAll();
    endGuard();
  };
  const started = await Promise.allSettled(own.map((spec) => run.start(spec, settings[spec.name])));
  const failed = started.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
  if (failed.length > 0) {
    run.state.removeDir = false; // the logs are wanted
    await stop();
    throw failed.length === 1
      ? failed[0]
      : new AggregateError(failed, failed.map(({ message }) => message).join('\n\n'));
  }

  /** @param {BrokerName} name */
  const startOne = async (name) => {
    run.broker(name);
    await run.start(SPECS[name]);
  };
  /** @param {import('./spec.mjs').BrokerSpec} spec */
  const url = (spec) => process.env[spec.variable] || run.broker(spec.name).url;
  return {
    dir,
    env: Object.fromEntries(specs.map((spec) => [spec.variable, url(spec)])),
    stop,
    startOne,
    stopOne: (name) => run.stop(name),
    restart: async (name) => {
      await run.stop(name);
      await startOne(name);
    },
    kill: (name, signal = 'SIGKILL') => run.kill(name, signal),
    logFile: (name) => run.broker(name).log,
  };
}
