import { join } from 'node:path';
import { type Environment, environment } from './components.ts';
import { type Finding, formatFinding } from './config/finding.ts';
import type { GatewayConfig } from './config/types.ts';
import { delay } from './core/connection.ts';
import type { DeadLetterKeeper } from './core/dead-letter.ts';
import { FairleadError, messageOf } from './core/errors.ts';
import { Fleet } from './fleet.ts';
import { Learning } from './learning/learning.ts';
import type { Tracing } from './observability/tracing/tracing.ts';
import { briefly, type ReloadSummary } from './reload/summary.ts';
import { type GatewayStatus, type ReloadStatus, readStatus } from './status.ts';
import { DeadLetterStore } from './store/dead-letters.ts';
import { openTracing } from './tracing.ts';

/** Dead letters that the gateway closes when it stops. */
export interface OwnedDeadLetters extends DeadLetterKeeper {
  close(): Promise<void>;
}

/** Time that spans have to be exported when the gateway stops: what the drain has left, but within these bounds. */
const FLUSH_MS = { least: 1_000, most: 5_000 };

export type GatewayEnvironment = Pick<Environment, 'adapters'> & Partial<Environment>;

export type GatewayState = 'created' | 'running' | 'draining' | 'stopped';

/**
 * Opens the dead-letter store of a configuration and makes its gateway. `onFatal` hears when the store can take no more
 * (fsync failed): the process must then exit non-zero.
 */
export async function openGateway(
  config: GatewayConfig,
  env: GatewayEnvironment,
  onFatal: (error: FairleadError) => void,
): Promise<Gateway> {
  const { log } = environment(env);
  let gateway: Gateway | undefined;
  const deadLetters = await DeadLetterStore.open({
    directory: deadLetterDirectory(config.store.path),
    maxBytes: config.store.maxBytes,
    whenFull: config.store.whenFull,
    gateway: config.name,
    revision: () => (gateway?.config ?? config).revision,
    onDamage: (damage) => log.error({ ...damage }, 'the dead-letter store is damaged; the rest is kept'),
    onDropped: (records) =>
      log.warn({ records, rule: 'drop-oldest' }, 'the dead-letter store is full: oldest letters dropped'),
    onFailed: onFatal,
  });
  try {
    gateway = new Gateway(config, deadLetters, env, await openTracing(config, environment(env)));
    return gateway;
  } catch (error) {
    await deadLetters.close(); // else the store stays locked for as long as the process lives
    throw error;
  }
}

/** Where a gateway's dead letters stand in its store. */
export function deadLetterDirectory(storePath: string): string {
  return join(storePath, 'dead-letters');
}

/**
 * A running gateway. `start` opens everything and returns; components that cannot reach their broker keep trying in the
 * background. `reload` puts another configuration in force while it runs. `stop` drains: intake ends, what is in flight has
 * until the deadline, the rest stays unsettled at its source.
 */
export class Gateway {
  readonly #env: Environment;
  readonly #fleet: Fleet;
  readonly #learning: Learning;
  readonly #tracing: Tracing | undefined;
  /** Models of the configuration in force are loaded, or cannot be. */
  #learned: Promise<void> = Promise.resolve();
  readonly #deadLetters: OwnedDeadLetters;
  readonly #stopped = new AbortController();
  readonly #reloads: { succeeded: number; failed: number; lastError?: ReloadStatus['lastError'] } = {
    succeeded: 0,
    failed: 0,
  };
  #reloading: Promise<unknown> = Promise.resolve();
  #state: GatewayState = 'created';
  #stopping: Promise<void> | undefined;

  /** @param tracing Made by `openGateway`, where the configuration has the section. */
  constructor(config: GatewayConfig, deadLetters: OwnedDeadLetters, env: GatewayEnvironment, tracing?: Tracing) {
    this.#env = environment(env);
    this.#deadLetters = deadLetters;
    this.#learning = new Learning(config, this.#env);
    this.#tracing = tracing;
    this.#fleet = new Fleet(config, { deadLetters, learning: this.#learning, tracer: tracing }, this.#env);
  }

  /** The configuration in force. */
  get config(): GatewayConfig {
    return this.#fleet.config;
  }

  get state(): GatewayState {
    return this.#state;
  }

  /** Opens targets and sources. `onFatal` hears of a component that can never open. */
  start(onFatal: (error: FairleadError) => void): void {
    this.#state = 'running';
    this.#fleet.start(onFatal);
    this.#learned = this.#learning.change(this.config);
  }

  /** Resolves when every source and target has connected once, or rejects after `timeoutMs`. */
  async ready(timeoutMs: number): Promise<void> {
    const done = new AbortController();
    const either = AbortSignal.any([this.#stopped.signal, done.signal]);
    const timeout = delay(timeoutMs, either, this.#env.clock).then(() => {
      const { sources, targets } = this.status();
      const down = [...sources, ...targets].filter(({ health }) => health.status !== 'up');
      const names = down.map(({ name, health }) => `${name} (${health.lastError?.message ?? 'starting'})`).join(', ');
      throw new FairleadError({ code: 'E_NOT_READY', message: `not connected after ${timeoutMs} ms: ${names}` });
    });
    timeout.catch(() => undefined); // where it lost the race, its rejection is of no interest
    await Promise.race([Promise.all([this.#fleet.ready(), this.#learned]), timeout]).finally(() => done.abort());
  }

  /**
   * Puts another configuration in force between two batches and tells what changed; only sources and targets that changed, or
   * whose broker did, are made anew. Reloads run one after the other. When it rejects, the configuration before stays in
   * force: `E_RELOAD_RESTART` for what only a restart can change, `E_STOPPED` when the gateway does not run, else the error
   * of a component that cannot work like this. See docs/guide/reload.md.
   */
  reload(config: GatewayConfig): Promise<ReloadSummary> {
    const reload = this.#reloading.then(() => this.#reload(config));
    this.#reloading = reload.catch(() => undefined); // told to who asked for it, logged and counted
    return reload;
  }

  /** Counts and logs a reload that came to nothing because its configuration does not hold. */
  refuseReload(findings: readonly Finding[]): void {
    const errors = findings.filter(({ severity }) => severity === 'error');
    for (const { code, ...finding } of errors) {
      this.#env.log.error({ code, ...place(finding) }, formatFinding({ code, ...finding }));
    }
    const message = `the configuration does not hold: ${errors.length === 1 ? 'one error' : `${errors.length} errors`}`;
    this.#failed({ code: errors[0]?.code ?? 'E_CONFIG', message, findings: errors.map(formatFinding) });
  }

  status(): GatewayStatus {
    const { revision } = this.config;
    const { leaving, path } = this.#fleet;
    const reload = { revision, ...this.#reloads, leaving };
    return readStatus(this.config, this.#state, path, { learning: this.#learning, tracing: this.#tracing }, reload);
  }

  /** Drains until the deadline, then lets go of the rest. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #reload(config: GatewayConfig): Promise<ReloadSummary> {
    const { clock, log } = this.#env;
    const startedAt = clock.now();
    try {
      if (this.#state !== 'running') throw notRunning();
      const summary = await this.#fleet.change(config, ({ code, message }) =>
        this.#note({ code, message, findings: [] }),
      );
      this.#learned = this.#learning.change(config);
      this.#reloads.succeeded += 1;
      this.#reloads.lastError = undefined;
      log.info({ ...briefly(summary), tookMs: Math.round(clock.now() - startedAt) }, 'configuration reloaded');
      return summary;
    } catch (error) {
      const code = error instanceof FairleadError ? error.code : 'E_RELOAD';
      this.#failed({ code, message: messageOf(error), findings: [] });
      throw error;
    }
  }

  #failed(error: Omit<NonNullable<ReloadStatus['lastError']>, 'at'>): void {
    const { revision } = this.config;
    this.#reloads.failed += 1;
    this.#note(error);
    this.#env.log.error(
      { code: error.code, revision },
      `not reloaded, the configuration before goes on: ${error.message}`,
    );
  }

  #note(error: Omit<NonNullable<ReloadStatus['lastError']>, 'at'>): void {
    this.#reloads.lastError = { ...error, at: new Date(this.#env.clock.wall()).toISOString() };
  }

  async #drain(): Promise<void> {
    const { clock, log } = this.#env;
    const fleet = this.#fleet;
    this.#state = 'draining';
    fleet.hold();
    await this.#reloading;
    const deadline = clock.now() + this.config.drain.deadlineMs;
    const never = new AbortController().signal;
    while (fleet.inFlight > 0 && clock.now() < deadline) await delay(20, never, clock);
    const paused = fleet.path.pipeline.resting;
    const left = fleet.inFlight;
    if (paused > 0) log.info({ paused }, 'what paused routes hold stays unsettled at its source');
    if (left > 0) log.warn({ left }, 'drain deadline reached: the rest stays unsettled at its source');
    this.#stopped.abort(new FairleadError({ code: 'E_STOPPED', message: 'the gateway was stopped' }));
    await fleet.close();
    await this.#learned;
    await this.#learning.close();
    await this.#tracing?.close(Math.max(FLUSH_MS.least, Math.min(FLUSH_MS.most, deadline - clock.now())));
    await this.#deadLetters.close();
    this.#state = 'stopped';
  }
}

function place({ file, line, column }: Omit<Finding, 'code'>): object {
  return { file, line, column };
}

function notRunning(): FairleadError {
  return new FairleadError({ code: 'E_STOPPED', message: 'the gateway does not run, so there is nothing to reload' });
}
