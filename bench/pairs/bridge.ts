import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayProcess, projectRoot } from '../../test/faults/child.ts';
import { routeConfig } from '../../test/setup/gateway.ts';
import type { Place } from '../../test/setup/places/place.ts';
import type { RawEnd } from '../raw/types.ts';

export type Side = 'raw' | 'gateway';

/** What carries the events from one place to the other, in a process of its own. */
export interface Bridge {
  readonly pid: number;
  /** Throws if the process has ended by itself. */
  assertRunning(): void;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** Kills what is left of it. */
  cleanup(): void;
}

export function startBridge(side: Side, from: Place, to: Place): Bridge {
  return side === 'raw' ? startRaw(from, to) : startGateway(from, to);
}

/** The built command with one route and nothing else set: what a user gets. */
function startGateway(from: Place, to: Place): Bridge {
  const gateway = new GatewayProcess(routeConfig(from, to, { store: { path: '$STORE' } }));
  gateway.start();
  return {
    pid: gateway.pid,
    assertRunning() {
      if (existsSync(`/proc/${gateway.pid}/stat`)) return;
      throw new Error(`the gateway ended by itself: ${gateway.log().slice(-2_000)}`);
    },
    async stop() {
      const code = await gateway.end('SIGTERM');
      if (code !== 0) throw new Error(`the gateway ended with ${code}: ${gateway.log().slice(-2_000)}`);
    },
    cleanup: () => gateway.cleanup(),
  };
}

function startRaw(from: Place, to: Place): Bridge {
  const source: RawEnd = { kind: from.kind, broker: from.broker, at: from.source };
  const target: RawEnd = { kind: to.kind, broker: to.broker, at: to.target };
  const main = join(projectRoot(), 'build/bench/main.js');
  const args = [main, 'raw', JSON.stringify({ from: source, to: target })];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise<string | number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {
    pid: child.pid as number,
    assertRunning() {
      if (child.exitCode !== null) throw new Error(`the raw loop ended with ${child.exitCode}`);
    },
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      if (code !== 0) throw new Error(`the raw loop ended with ${code}`);
    },
    cleanup() {
      if (child.exitCode === null) child.kill('SIGKILL');
    },
  };
}
