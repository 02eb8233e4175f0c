import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { adapters } from '../../src/adapters/registry.ts';
import { type Gateway, openGateway } from '../../src/app.ts';
import { formatFinding } from '../../src/config/finding.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { GatewayConfig } from '../../src/config/types.ts';
import type { Log } from '../../src/core/log.ts';
import { eventually } from './eventually.ts';

/** The configuration text of one route between two places; `over` merges into the document. */
export function routeConfig(
  from: { broker: object; source: object },
  to: { broker: object; target: object },
  over: Record<string, unknown> = {},
): string {
  return stringify({
    version: 1,
    name: 'pair',
    brokers: { a: from.broker, b: to.broker },
    sources: { in: { broker: 'a', ...from.source } },
    targets: { out: { broker: 'b', ...to.target } },
    routes: [{ name: 'pair', from: ['in'], to: ['out'], delivery: { deadLetter: { store: true } } }],
    drain: { deadline: '10s' },
    log: { level: 'warn' },
    ...over,
  });
}

export function parseConfig(text: string): GatewayConfig {
  const { config, findings } = loadConfig(text, { adapters, env: process.env, readFile: () => '', file: 'test.yaml' });
  if (config === undefined) throw new Error(findings.map(formatFinding).join('\n'));
  return config;
}

export interface RunningGateway {
  readonly gateway: Gateway;
  stop(): Promise<void>;
}

/** Runs a configuration in this process with a store of its own; ready when it resolves. */
export async function runGateway(text: string, log?: Log): Promise<RunningGateway> {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  const config = { ...parseConfig(text), store: { path, maxBytes: 64 * 2 ** 20, whenFull: 'block' as const } };
  const failures: Error[] = [];
  const onFatal = (error: Error): void => {
    failures.push(error);
  };
  const gateway = await openGateway(config, { adapters, ...(log === undefined ? {} : { log }) }, onFatal);
  gateway.start(onFatal);
  await gateway.ready(30_000);
  return {
    gateway,
    async stop() {
      await gateway.stop();
      rmSync(path, { recursive: true, force: true });
      if (failures[0] !== undefined) throw failures[0];
    },
  };
}

/** Waits until nothing is in flight, then checks that every accounting identity holds. */
export async function settledAndBalanced(gateway: Gateway): Promise<void> {
  await eventually(() => gateway.status().sources.every(({ counters }) => counters.inFlight === 0));
  if (!gateway.status().balanced) throw new Error(`accounts do not balance: ${JSON.stringify(gateway.status())}`);
}
