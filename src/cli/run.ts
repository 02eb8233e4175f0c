import { adapters } from '../adapters/registry.ts';
import { type Gateway, openGateway } from '../app.ts';
import type { GatewayConfig } from '../config/types.ts';
import type { FairleadError } from '../core/errors.ts';
import { createLog } from '../observability/log.ts';
import { EXIT, ExitError } from './exit.ts';
import { requireConfig } from './load.ts';

/** `fairlead run`: runs a configuration until SIGTERM or SIGINT, which drain it; a second signal forces. */
export async function run(options: { config: string }): Promise<void> {
  const config = requireConfig(options.config);
  const code = await runUntilStopped(config, () => {});
  if (code !== EXIT.ok) throw new ExitError(code, 'stopped by a failure; see the log');
}

/** Runs a gateway until a signal or a fatal error; resolves with the exit code once it has drained. */
export async function runUntilStopped(config: GatewayConfig, onStarted: (gateway: Gateway) => void): Promise<number> {
  const log = createLog(config.log.level);
  let stopWith: (code: number) => void = () => {};
  const stopped = new Promise<number>((resolve) => {
    stopWith = resolve;
  });
  const onFatal = (error: FairleadError): void => {
    log.error({ code: error.code }, error.message);
    stopWith(EXIT.runtime);
  };
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) process.exit(EXIT.runtime);
    log.info({ signal }, 'draining');
    stopWith(EXIT.ok);
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  const gateway = await openGateway(config, { adapters, log }, onFatal);
  gateway.start(onFatal);
  onStarted(gateway);
  const code = await stopped;
  await gateway.stop();
  process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  log.info({ code }, 'stopped');
  return code;
}
