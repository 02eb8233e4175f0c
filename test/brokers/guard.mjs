/**
 * Stops the brokers of a run when the process that started them is gone, however it went: the guard
 * holds the other end of a pipe that closes with that process. Started by startBrokers().
 */
import { BrokerRun } from './run.mjs';
import { readState } from './state.mjs';

const dir = process.argv[2];
if (dir === undefined) throw new Error('usage: guard.mjs <folder of the run>');

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => {});
process.stdin.resume();
process.stdin.once('close', async () => {
  const state = readState(dir);
  if (state !== undefined) {
    await new BrokerRun(dir, { log: () => {}, startTimeoutMs: 0, removeDir: state.removeDir }).stopAll();
  }
  process.exit(0);
});
