import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './process.mjs';

const TAIL_LINES = 25;

/** @param {string} file */
function tail(file) {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  } catch {
    return '(no log)';
  }
}

/**
 * @param {number} port
 * @returns {Promise<void>} resolves when a connection to 127.0.0.1 is accepted
 */
export function accepts(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/**
 * Repeats the probe until it succeeds; fails when a process of the broker ends or time is up.
 * @param {object} options
 * @param {string} options.name
 * @param {import('./state.mjs').BrokerState} options.broker
 * @param {() => Promise<void>} options.probe
 * @param {number} options.timeoutMs
 */
export async function waitReady({ name, broker, probe, timeoutMs }) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await probe();
      return;
    } catch (error) {
      const ended = broker.processes.find((ref) => !isAlive(ref));
      const late = Date.now() > deadline;
      if (ended === undefined && !late) {
        await sleep(100);
        continue;
      }
      const why = ended
        ? `its process ${ended.id} (pid ${ended.pid}) ended while it started`
        : `it was not ready within ${timeoutMs / 1000} s (${/** @type {Error} */ (error).message})`;
      throw new Error(
        `${name} did not start: ${why}.\nThe end of its log, ${broker.log}:\n${tail(broker.log)}\n` +
          `Fix what the log says, or serve ${name} elsewhere and give its URL in the FAIRLEAD_TEST_… variable.`,
        { cause: error },
      );
    }
  }
}
