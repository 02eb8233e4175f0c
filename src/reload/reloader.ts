import type { Finding } from '../config/finding.ts';
import type { LoadResult } from '../config/load.ts';
import type { GatewayConfig } from '../config/types.ts';
import { messageOf } from '../core/errors.ts';

/** The gateway as a reloader needs it. */
export interface Reloadable {
  reload(config: GatewayConfig): Promise<unknown>;
  refuseReload(findings: readonly Finding[]): void;
}

export interface ReloaderOptions {
  readonly gateway: Reloadable;
  /** The name that findings show. */
  readonly file: string;
  readonly load: () => LoadResult | Promise<LoadResult>;
  /** Told of every attempt, before it is known whether the gateway takes the configuration. */
  readonly loaded?: (result: LoadResult) => void;
  /** Told when a configuration is in force. */
  readonly reloaded?: (config: GatewayConfig) => void;
}

/** Loads the configuration and reloads the gateway, one attempt at a time: what is asked for meanwhile becomes one more. */
export class Reloader {
  readonly #o: ReloaderOptions;
  #wanted = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(options: ReloaderOptions) {
    this.#o = options;
  }

  /** Resolves when an attempt that began after this call has ended, well or not; the gateway tells how. Never rejects. */
  request(): Promise<void> {
    this.#wanted = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** An attempt that is under way still loads, but the gateway hears no more of it. */
  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#stopped) {
      this.#wanted = false;
      await this.#attempt();
    }
    this.#running = undefined;
  }

  async #attempt(): Promise<void> {
    const { gateway, loaded, reloaded } = this.#o;
    const result = await this.#load();
    if (this.#stopped) return;
    loaded?.(result);
    if (result.config === undefined) {
      gateway.refuseReload(result.findings);
      return;
    }
    try {
      await gateway.reload(result.config);
    } catch {
      return; // counted and logged by the gateway
    }
    reloaded?.(result.config);
  }

  async #load(): Promise<LoadResult> {
    const { load, file } = this.#o;
    try {
      return await load();
    } catch (error) {
      const message = `the configuration could not be loaded: ${messageOf(error)}`;
      return { findings: [{ severity: 'error', code: 'E_RELOAD', message, file, line: 1, column: 1 }] };
    }
  }
}
