import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** @typedef {import('./index.mjs').BrokerName} BrokerName */
/** @typedef {import('./index.mjs').BrokerSettings} BrokerSettings */
/** @typedef {import('./process.mjs').ProcessRef} ProcessRef */

/**
 * @typedef {object} BrokerState
 * @property {string} url
 * @property {string} log
 * @property {Record<string, number>} ports
 * @property {BrokerSettings} settings
 * @property {ProcessRef[]} processes in the order they were started
 */

/**
 * What one run has started; `removeDir`: the folder is deleted when the run has stopped.
 * @typedef {{ removeDir: boolean, brokers: Partial<Record<BrokerName, BrokerState>> }} RunState
 */

/** The folder that holds the folders of all runs. */
export function runsRoot() {
  return process.env['FAIRLEAD_BROKERS_DIR'] || join(tmpdir(), `fairlead-brokers-${userInfo().uid}`);
}

/** @param {string} dir */
function stateFile(dir) {
  return join(dir, 'state.json');
}

/**
 * @param {string} dir
 * @returns {RunState | undefined}
 */
export function readState(dir) {
  try {
    return JSON.parse(readFileSync(stateFile(dir), 'utf8'));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw new Error(`cannot read ${stateFile(dir)}: ${/** @type {Error} */ (error).message}`, { cause: error });
  }
}

/**
 * @param {string} dir
 * @param {RunState} state
 */
export function writeState(dir, state) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const temporary = `${stateFile(dir)}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, stateFile(dir));
}

/** @param {string} dir */
export function removeState(dir) {
  rmSync(stateFile(dir), { force: true });
}
