import { adapters } from '../adapters/registry.ts';
import { openGateway } from '../app.ts';
import type { FairleadError } from '../core/errors.ts';
import { createLog } from '../observability/log.ts';
import type { DryRunCommand } from './dry-run.ts';
import { EXIT, ExitError } from './exit.ts';
import { startHeartbeat } from './heartbeat.ts';
import { requireConfig } from './load.ts';
import { Stopping } from './stopping.ts';

export interface RunOptions extends DryRunCommand {
  readonly heartbeat?: string;
  readonly store?: string;
  readonly dryRun?: boolean;
}

/** `fairlead run`: runs a configuration until SIGTERM or SIGINT, which drain it; a second signal forces. */
export async function run(options: RunOptions): Promise<void> {
  if (options.dryRun === true) return (await import('./dry-run.ts')).dryRun(options);
  if (options.limit !== undefined) throw new ExitError(EXIT.usage, '--limit is for --dry-run');
  const read = requireConfig(options.config);
  const config = options.store === undefined ? read : { ...read, store: { ...read.store, path: options.store } };
  const log = createLog(options.logLevel ?? config.log.level);
  const stopping = new Stopping((signal) => log.info({ signal }, 'draining'));
  const onFatal = (error: FairleadError): void => {
    log.error({ code: error.code }, error.message);
    stopping.request(EXIT.runtime);
  };
  const gateway = await openGateway(config, { adapters, log }, onFatal);
  gateway.start(onFatal);
  const stopHeartbeat = options.heartbeat === undefined ? () => {} : startHeartbeat(options.heartbeat, log);
  const code = await stopping.code;
  await gateway.stop();
  stopHeartbeat();
  stopping.dispose();
  log.info({ code }, 'stopped');
  if (code !== EXIT.ok) throw new ExitError(code, 'stopped by a failure; see the log');
}
