import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A process as the state file records it. The start time tells it from a later process that was
 * given the same id.
 * @typedef {{ id: string, pid: number, startTime: string }} ProcessRef
 */

/**
 * Start time of a running process, or undefined when there is none (a mere zombie counts as none).
 * @param {number} pid
 * @returns {string | undefined}
 */
function startTimeOf(pid) {
  if (process.platform !== 'linux') {
    try {
      const args = ['-o', 'state=,lstart=', '-p', String(pid)];
      const [state, ...started] = execFileSync('ps', args, { encoding: 'utf8' }).trim().split(/\s+/);
      return state === undefined || state.startsWith('Z') ? undefined : started.join(' ') || undefined;
    } catch {
      return undefined;
    }
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name (field 2) is in parentheses and may hold spaces: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A killed process is a zombie at once, but holds its ports until its last thread has ended.
    const ended = fields[0] === 'X' || (fields[0] === 'Z' && Number(fields[17]) <= 1);
    return ended ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/**
 * Starts a process in a process group and session of its own, its output appended to a file.
 * @param {{ id: string, command: string, args: string[], env: NodeJS.ProcessEnv, cwd: string, log: string }} what
 * @returns {Promise<ProcessRef>}
 */
export function launch({ id, command, args, env, cwd, log }) {
  const fd = openSync(log, 'a');
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`, { cause: error })));
    child.once('spawn', () => {
      child.unref();
      const pid = /** @type {number} */ (child.pid);
      resolve({ id, pid, startTime: startTimeOf(pid) ?? 'gone' });
    });
  });
}

/** @param {ProcessRef} ref */
export function isAlive(ref) {
  return startTimeOf(ref.pid) === ref.startTime;
}

/**
 * Waits until SIGSTOP has stopped every thread: on a busy machine one may still answer for a moment.
 * @param {ProcessRef} ref
 */
export async function waitStopped(ref) {
  if (process.platform !== 'linux') return;
  const running = () =>
    readdirSync(`/proc/${ref.pid}/task`).some((thread) => {
      const stat = readFileSync(`/proc/${ref.pid}/task/${thread}/stat`, 'utf8');
      return stat[stat.lastIndexOf(')') + 2] !== 'T';
    });
  for (let left = 500; left > 0 && running(); left -= 1) await sleep(10);
}

/**
 * Sends a signal to the process and its group; does nothing when it is gone.
 * @param {ProcessRef} ref
 * @param {NodeJS.Signals} signal
 */
export function signalGroup(ref, signal) {
  if (!isAlive(ref)) return;
  try {
    process.kill(-ref.pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/**
 * @param {ProcessRef} ref
 * @param {number} timeoutMs
 * @returns {Promise<boolean>} whether the process is gone
 */
export async function waitGone(ref, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(ref)) {
    if (Date.now() > deadline) return false;
    await sleep(25);
  }
  return true;
}

/**
 * Stops a process: SIGTERM (also when it was frozen with SIGSTOP), and SIGKILL if that is not enough.
 * @param {ProcessRef} ref
 * @param {number} [graceMs]
 */
export async function terminate(ref, graceMs = 20_000) {
  signalGroup(ref, 'SIGTERM');
  signalGroup(ref, 'SIGCONT');
  if (await waitGone(ref, graceMs)) return;
  signalGroup(ref, 'SIGKILL');
  if (!(await waitGone(ref, 5_000))) throw new Error(`process ${ref.pid} (${ref.id}) survived SIGKILL`);
}
