import { adapters } from '../adapters/registry.ts';
import { type Gateway, openGateway } from '../app.ts';
import type { LoadResult } from '../config/load.ts';

import type { FairleadError } from '../core/errors.ts';
import { createLog, type LeveledLog } from '../observability/log.ts';
import { Reloader } from '../reload/reloader.ts';
import { FileWatch } from '../reload/watch.ts';
import type { DryRunCommand } from './dry-run.ts';
import { EXIT, ExitError } from './exit.ts';
import { startHeartbeat } from './heartbeat.ts';
import { readConfig, refusal } from './load.ts';
import { loadAside } from './load-aside.ts';
import { Stopping } from './stopping.ts';

export interface RunOptions extends DryRunCommand {
  readonly heartbeat?: string;
  readonly store?: string;
  readonly watch: boolean;
  readonly dryRun?: boolean;
}

/**
 * `fairlead run`: runs a configuration until SIGTERM or SIGINT, which drain it; a second signal forces. SIGHUP and, unless
 * that is switched off, a change of the file reload it.
 */
export async function run(options: RunOptions): Promise<void> {
  if (options.dryRun === true) return (await import('./dry-run.ts')).dryRun(options);
  if (options.limit !== undefined) throw new ExitError(EXIT.usage, '--limit is for --dry-run');
  const { config, findings, files = [] } = withOptions(readConfig(options.config), options);
  if (config === undefined) throw refusal(options.config, findings);
  const log = createLog(options.logLevel ?? config.log.level);
  const stopping = new Stopping((signal) => log.info({ signal }, 'draining'));
  const onFatal = (error: FairleadError): void => {
    log.error({ code: error.code }, error.message);
    stopping.request(EXIT.runtime);
  };
  const reloading = new Reloading(options, files, log);
  const gateway = await openGateway(config, { adapters, log }, onFatal);
  gateway.start(onFatal);
  reloading.start(gateway);
  const stopHeartbeat = options.heartbeat === undefined ? () => {} : startHeartbeat(options.heartbeat, log);
  const code = await stopping.code;
  reloading.stop();
  await gateway.stop();
  stopHeartbeat();
  stopping.dispose();
  reloading.dispose();
  log.info({ code }, 'stopped');
  if (code !== EXIT.ok) throw new ExitError(code, 'stopped by a failure; see the log');
}

/** What asks for reloads: SIGHUP and changed files, also in the moment before the gateway runs. */
class Reloading {
  readonly #options: RunOptions;
  readonly #log: LeveledLog;
  readonly #watch: FileWatch | undefined;
  readonly #onHangup = (): void => this.#ask('SIGHUP');
  #reloader: Reloader | undefined;
  #asked = false;
  #stopped = false;

  constructor(options: RunOptions, files: readonly string[], log: LeveledLog) {
    this.#options = options;
    this.#log = log;
    process.on('SIGHUP', this.#onHangup);
    this.#watch = options.watch ? new FileWatch(files, { changed: () => this.#ask('file changed'), log }) : undefined;
  }

  start(gateway: Gateway): void {
    const { config: file, logLevel } = this.#options;
    this.#reloader = new Reloader({
      gateway,
      file,
      load: async () => withOptions(await loadAside(file), this.#options),
      loaded: ({ files }) => {
        if (files !== undefined && !this.#stopped) this.#watch?.watch(files);
      },
      reloaded: ({ log }) => {
        if (logLevel === undefined) this.#log.setLevel(log.level);
      },
    });
    if (this.#asked) void this.#reloader.request();
  }

  stop(): void {
    this.#stopped = true;
    this.#reloader?.stop();
    this.#watch?.close();
  }

  /** Gives the signal back: until here a hangup must not end a process that drains. */
  dispose(): void {
    process.off('SIGHUP', this.#onHangup);
  }

  #ask(cause: string): void {
    if (this.#stopped) return;
    this.#log.info({ cause }, 'reloading the configuration');
    if (this.#reloader === undefined) this.#asked = true;
    else void this.#reloader.request();
  }
}

/** What the command line says instead of the file. */
function withOptions(result: LoadResult, { store }: RunOptions): LoadResult {
  const { config } = result;
  if (config === undefined || store === undefined) return result;
  return { ...result, config: { ...config, store: { ...config.store, path: store } } };
}
