import { join } from 'node:path';
import { type Components, createComponents, type Environment, environment } from './components.ts';
import type { GatewayConfig } from './config/types.ts';
import { delay } from './core/connection.ts';
import type { DeadLetterKeeper } from './core/dead-letter.ts';
import { FairleadError, messageOf } from './core/errors.ts';
import { type GatewayStatus, readStatus } from './status.ts';
import { DeadLetterStore } from './store/dead-letters.ts';
import { DataPath } from './wiring.ts';

/** Dead letters that the gateway closes when it stops. */
export interface OwnedDeadLetters extends DeadLetterKeeper {
  close(): Promise<void>;
}

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
  const deadLetters = await DeadLetterStore.open({
    directory: deadLetterDirectory(config.store.path),
    maxBytes: config.store.maxBytes,
    whenFull: config.store.whenFull,
    gateway: config.name,
    revision: () => config.revision,
    onDamage: (damage) => log.error({ ...damage }, 'the dead-letter store is damaged; the rest is kept'),
    onDropped: (records) =>
      log.warn({ records, rule: 'drop-oldest' }, 'the dead-letter store is full: oldest letters dropped'),
    onFailed: onFatal,
  });
  try {
    return new Gateway(config, deadLetters, env);
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
 * One running configuration. `start` opens everything and returns; components that cannot reach their broker keep
 * trying in the background. `stop` drains: intake ends, what is in flight has until the deadline, the rest stays
 * unsettled at its source.
 */
export class Gateway {
  readonly config: GatewayConfig;
  readonly #env: Environment;
  readonly #parts: Components;
  readonly #path: DataPath;
  readonly #deadLetters: OwnedDeadLetters;
  readonly #abort = new AbortController();
  readonly #opening: Promise<void>[] = [];
  #state: GatewayState = 'created';
  #stopping: Promise<void> | undefined;

  constructor(config: GatewayConfig, deadLetters: OwnedDeadLetters, env: GatewayEnvironment) {
    this.config = config;
    this.#env = environment(env);
    this.#deadLetters = deadLetters;
    this.#parts = createComponents(config, this.#env);
    this.#path = new DataPath(config, this.#parts, this.#env, deadLetters);
  }

  get state(): GatewayState {
    return this.#state;
  }

  /** Opens targets and sources. `onFatal` hears of a component that can never open. */
  start(onFatal: (error: FairleadError) => void): void {
    this.#state = 'running';
    this.#path.start();
    for (const [name, target] of this.#parts.targets) {
      const lane = this.#path.lanes.get(name);
      const notify = { available: () => lane?.available(), unavailable: () => lane?.unavailable() };
      this.#opening.push(
        this.#open(
          name,
          'target',
          target.open(notify, this.#abort.signal).then(() => lane?.open()),
          onFatal,
        ),
      );
    }
    for (const intake of this.#path.intakes) {
      const opened = intake.source.open(
        { batch: (batch) => this.#path.pipeline.take(intake, batch) },
        this.#abort.signal,
      );
      intake.opened();
      this.#opening.push(this.#open(intake.name, 'source', opened, onFatal));
    }
  }

  /** Resolves when every source and target has connected once, or rejects after `timeoutMs`. */
  async ready(timeoutMs: number): Promise<void> {
    const timeout = delay(timeoutMs, this.#abort.signal, this.#env.clock).then(() => {
      const { sources, targets } = this.status();
      const down = [...sources, ...targets].filter(({ health }) => health.status !== 'up');
      const names = down.map(({ name, health }) => `${name} (${health.lastError?.message ?? 'starting'})`).join(', ');
      throw new FairleadError({ code: 'E_NOT_READY', message: `not connected after ${timeoutMs} ms: ${names}` });
    });
    await Promise.race([Promise.all(this.#opening), timeout]);
    timeout.catch(() => undefined); // it lost the race: its rejection is of no interest
  }

  status(): GatewayStatus {
    const reload = { revision: this.config.revision, succeeded: 0, failed: 0, leaving: [] };
    return readStatus(this.config, this.#state, this.#path, reload);
  }

  /** Drains until the deadline, then lets go of the rest. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #open(
    name: string,
    role: string,
    opened: Promise<void>,
    onFatal: (error: FairleadError) => void,
  ): Promise<void> {
    try {
      await opened;
      this.#env.log.info({ [role]: name }, `${role} is up`);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const fatal =
        error instanceof FairleadError
          ? error
          : new FairleadError({ code: 'E_OPEN', message: messageOf(error), cause: error });
      this.#env.log.error({ [role]: name, code: fatal.code }, fatal.message);
      onFatal(fatal);
    }
  }

  async #drain(): Promise<void> {
    const { clock, log } = this.#env;
    this.#state = 'draining';
    for (const intake of this.#path.intakes) intake.hold(this);
    const deadline = clock.now() + this.config.drain.deadlineMs;
    const never = new AbortController().signal;
    const { pipeline } = this.#path;
    while (this.#inFlight() > pipeline.resting && clock.now() < deadline) await delay(20, never, clock);
    const paused = pipeline.resting;
    const left = this.#inFlight() - paused;
    if (paused > 0) log.info({ paused }, 'what paused routes hold stays unsettled at its source');
    if (left > 0) log.warn({ left }, 'drain deadline reached: the rest stays unsettled at its source');
    this.#path.close();
    this.#abort.abort(new FairleadError({ code: 'E_STOPPED', message: 'the gateway was stopped' }));
    await this.#closeAll();
    this.#state = 'stopped';
  }

  #inFlight(): number {
    return this.#path.intakes.reduce((sum, { counters }) => sum + counters.inFlight, 0);
  }

  async #closeAll(): Promise<void> {
    const { sources, targets, brokers } = this.#parts;
    const close = async (parts: Iterable<{ close(): Promise<void> }>): Promise<void> => {
      for (const result of await Promise.allSettled([...parts].map((part) => part.close()))) {
        if (result.status === 'rejected') this.#env.log.error({ error: messageOf(result.reason) }, 'closing failed');
      }
    };
    await close(sources.values());
    await close(targets.values());
    await close(brokers.values());
    await close([this.#deadLetters]);
  }
}
