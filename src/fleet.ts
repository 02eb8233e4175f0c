import { ComponentFactory, type Components, type Environment } from './components.ts';
import type { GatewayConfig } from './config/types.ts';
import { delay } from './core/connection.ts';
import { FairleadError, messageOf } from './core/errors.ts';
import type { SourceIntake } from './pipeline/intake.ts';
import type { Lane } from './pipeline/lane.ts';
import { type ConfigDiff, diffConfigs } from './reload/diff.ts';
import { LeavingTarget, seeOut } from './reload/leaving.ts';
import { BrokerLine, SourceLine, stopped, TargetLine } from './reload/lines.ts';
import { type ReloadSummary, summarise } from './reload/summary.ts';
import { DataPath, type Services, type Wired } from './wiring.ts';

/** How long a reload waits for its new targets to connect, in ms; what cannot be reached by then goes on trying after it. */
const CONNECT_MS = 5_000;

type Failed = (error: FairleadError) => void;

interface Lines {
  readonly brokers: Map<string, BrokerLine>;
  readonly sources: Map<string, SourceLine>;
  readonly targets: Map<string, TargetLine>;
}

/** The components of the configuration in force, with those of earlier ones that still finish what they have. */
export class Fleet {
  readonly path: DataPath;
  readonly #env: Environment;
  readonly #factory: ComponentFactory;
  readonly #lines: Lines = { brokers: new Map(), sources: new Map(), targets: new Map() };
  readonly #leavingTargets = new Set<LeavingTarget>();
  readonly #leavingSources = new Set<SourceLine>();
  readonly #opening = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  /** Sources close and open one reload after the other: a new one may need what an old one holds, e.g. a port. */
  #sourceWork: Promise<void> = Promise.resolve();
  #config: GatewayConfig;

  constructor(config: GatewayConfig, services: Services, env: Environment) {
    this.#config = config;
    this.#env = env;
    this.#factory = new ComponentFactory(config.name, env);
    const parts = this.#create(config);
    this.path = new DataPath(config, parts, env, services);
    this.#add(this.#lineUp(config, parts, this.path));
  }

  get config(): GatewayConfig {
    return this.#config;
  }

  /** Deliveries under way, without those that only wait for a paused route. */
  get inFlight(): number {
    let sum = 0;
    for (const { counters } of this.#intakes()) sum += counters.inFlight;
    return sum - this.path.pipeline.resting;
  }

  /** Sources and targets of earlier configurations that still finish what they have. */
  get leaving(): readonly string[] {
    return [
      ...[...this.#leavingSources].map(({ name }) => `sources.${name}`),
      ...[...this.#leavingTargets].map(({ name }) => `targets.${name}`),
    ];
  }

  /** Opens everything. `failed` hears of a component that can never open. */
  start(failed: Failed): void {
    this.path.start();
    for (const line of this.#lines.targets.values()) this.#begin(line, failed);
    for (const line of this.#lines.sources.values()) this.#open(line, failed);
  }

  /** Resolves when all sources and targets have connected once, also those that a reload has still to open. */
  async ready(): Promise<void> {
    await this.#sourceWork;
    await Promise.all(this.#opening);
  }

  /**
   * Puts a configuration in force. Nothing has changed when it rejects: with `E_RELOAD_RESTART`, with what a component says
   * against its part, or with the error of a target that can never open. It resolves when batches are planned under the new
   * configuration; what left it is seen out after that, and new sources open once the old ones have closed.
   */
  async change(config: GatewayConfig, failed: Failed): Promise<ReloadSummary> {
    const diff = diffConfigs(this.#config, config);
    if (diff.refused.length > 0) throw restartNeeded(diff.refused);
    const parts = this.#create(config, diff);
    let lines: Lines | undefined;
    try {
      const wired = await this.path.prepare(config, parts);
      lines = this.#lineUp(config, parts, wired);
      await this.#connectFirst([...lines.targets.values()]);
      if (this.#stopping.signal.aborted) throw stopped();
      this.#swap(diff, wired, lines, failed);
    } catch (error) {
      if (lines !== undefined) await this.#closeAll(lines);
      else await Promise.all([...parts.brokers.values()].map((handle) => handle.close()));
      throw error;
    }
    return summarise(diff, config.revision);
  }

  /** Nothing more is taken in, and no reload goes on. */
  hold(): void {
    this.#stopping.abort(stopped());
    for (const intake of this.#intakes()) intake.hold(this);
  }

  /** Lets go of everything; what is unsettled comes again. */
  async close(): Promise<void> {
    this.path.close();
    for (const { line } of this.#leavingTargets) line.lane.stop();
    for (const line of [...this.#lines.sources.values(), ...this.#lines.targets.values()]) line.abort.abort(stopped());
    const sources = [...this.#lines.sources.values(), ...this.#leavingSources];
    await Promise.all(sources.map((line) => line.close(this.#env.log)));
    await Promise.all([...this.#leavingTargets].map(({ done }) => done));
    await this.#sourceWork;
    await this.#closeAll(this.#lines);
  }

  *#intakes(): Iterable<SourceIntake> {
    for (const { intake } of this.#lines.sources.values()) yield intake;
    for (const { intake } of this.#leavingSources) if (!intake.detached) yield intake;
  }

  /** The parts that are new or take the place of others; all of them where there is nothing to compare with. */
  #create(config: GatewayConfig, diff?: ConfigDiff): Components {
    const isMade = (section: 'brokers' | 'sources' | 'targets', name: string): boolean =>
      diff === undefined || diff.restarts[section].has(name) || diff[section].added.includes(name);
    const made = <T extends { name: string }>(section: 'brokers' | 'sources' | 'targets', entries: readonly T[]) =>
      entries.filter(({ name }) => isMade(section, name));
    const brokers = new Map(made('brokers', config.brokers).map((entry) => [entry.name, this.#factory.broker(entry)]));
    const handle = (name: string) => brokers.get(name) ?? (this.#lines.brokers.get(name) as BrokerLine).handle;
    return {
      brokers,
      sources: new Map(
        made('sources', config.sources).map((entry) => [entry.name, this.#factory.source(entry, handle(entry.broker))]),
      ),
      targets: new Map(
        made('targets', config.targets).map((entry) => [entry.name, this.#factory.target(entry, handle(entry.broker))]),
      ),
    };
  }

  #lineUp(config: GatewayConfig, parts: Components, { lanes, intakes }: Pick<Wired, 'lanes' | 'intakes'>): Lines {
    const brokers = new Map([...parts.brokers].map(([name, handle]) => [name, new BrokerLine(handle)]));
    const on = (name: string) => brokers.get(name) ?? (this.#lines.brokers.get(name) as BrokerLine);
    const lines: Lines = { brokers, sources: new Map(), targets: new Map() };
    for (const { name, kind, broker } of config.targets) {
      const target = parts.targets.get(name);
      if (target === undefined) continue;
      const exclusive = this.#factory.spec(kind).target?.features.exclusive ?? false;
      const lane = lanes.get(name) as Lane;
      lines.targets.set(name, new TargetLine({ name, target, lane, broker: on(broker), exclusive }));
    }
    for (const [number, { name, broker }] of config.sources.entries()) {
      const source = parts.sources.get(name);
      if (source === undefined) continue;
      lines.sources.set(name, new SourceLine(name, source, intakes[number] as SourceIntake, on(broker)));
    }
    return lines;
  }

  #add(lines: Lines): void {
    for (const [name, line] of lines.brokers) this.#lines.brokers.set(name, line);
    for (const [name, line] of lines.sources) this.#lines.sources.set(name, line);
    for (const [name, line] of lines.targets) this.#lines.targets.set(name, line);
  }

  /** Takes the lines of these names out. */
  #take<T>(section: Map<string, T>, names: Iterable<string>): T[] {
    const taken: T[] = [];
    for (const name of names) {
      taken.push(section.get(name) as T);
      section.delete(name);
    }
    return taken;
  }

  /** Connects new targets before anything is changed, so that one that can never open is refused with its configuration. */
  async #connectFirst(targets: readonly TargetLine[]): Promise<void> {
    const taken = new Set([...this.#lines.targets.keys(), ...[...this.#leavingTargets].map(({ name }) => name)]);
    const free = targets.filter(({ exclusive, name }) => !exclusive || !taken.has(name));
    if (free.length === 0) return;
    const enough = new AbortController();
    const late = delay(CONNECT_MS, AbortSignal.any([enough.signal, this.#stopping.signal]), this.#env.clock);
    late.catch(() => undefined); // all have connected, or the gateway stops: both are seen by the caller
    try {
      await Promise.race([Promise.all(free.map((line) => line.connect())), late]);
    } finally {
      enough.abort();
    }
  }

  /** In one turn of the event loop, that is between two batches. */
  #swap(diff: ConfigDiff, wired: Wired, fresh: Lines, failed: Failed): void {
    const { restarts, brokers, sources, targets } = diff;
    const { log } = this.#env;
    this.path.swap(wired);
    this.#config = wired.config;
    const oldBrokers = this.#take(this.#lines.brokers, [...brokers.removed, ...restarts.brokers]);
    const oldTargets = this.#take(this.#lines.targets, [...targets.removed, ...restarts.targets]);
    const oldSources = this.#take(this.#lines.sources, [...sources.removed, ...restarts.sources]);
    this.#add(fresh);
    for (const line of oldTargets) this.#seeTargetOut(line, fresh.targets.get(line.name));
    for (const name of targets.added) this.#follow(fresh.targets.get(name) as TargetLine);
    for (const line of fresh.targets.values()) this.#begin(line, failed);
    for (const line of oldBrokers) void line.retire(log);
    for (const line of oldSources) {
      line.cancelled = true;
      line.intake.hold(line);
      this.#leavingSources.add(line);
    }
    this.#sourceWork = this.#sourceWork.then(() =>
      this.#changeSources(oldSources, [...fresh.sources.values()], failed),
    );
  }

  #seeTargetOut(line: TargetLine, successor: TargetLine | undefined): void {
    const { drain } = this.#config;
    const options = { deadlineMs: drain.deadlineMs, pipeline: this.path.pipeline, env: this.#env };
    const leaving = new LeavingTarget(line, { ...options, ...(successor === undefined ? {} : { successor }) });
    this.#leavingTargets.add(leaving);
    void leaving.done.then(() => this.#leavingTargets.delete(leaving));
    if (successor !== undefined) successor.before = leaving.handedOver;
  }

  /** A target that comes back while the one of its name before still drains takes over from it. */
  #follow(line: TargetLine): void {
    const before = [...this.#leavingTargets].filter(({ name }) => name === line.name).at(-1);
    if (before === undefined) return;
    before.adopt(line);
    line.before = before.handedOver;
  }

  async #changeSources(old: readonly SourceLine[], fresh: readonly SourceLine[], failed: Failed): Promise<void> {
    const { deadlineMs } = this.#config.drain;
    const { signal } = this.#stopping;
    const options = { deadlineMs, pipeline: this.path.pipeline, env: this.#env, stopping: signal };
    await Promise.all(
      old.map(async (line) => {
        await seeOut(line, options);
        if (!signal.aborted) this.#leavingSources.delete(line);
      }),
    );
    for (const line of fresh) if (!line.cancelled && !signal.aborted) this.#open(line, failed);
  }

  #begin(line: TargetLine, failed: Failed): void {
    this.#track('target', line, line.begin(), failed);
  }

  #open(line: SourceLine, failed: Failed): void {
    this.#track('source', line, line.open(this.path.pipeline), failed);
  }

  #track(role: string, line: TargetLine | SourceLine, opened: Promise<void>, failed: Failed): void {
    const { log } = this.#env;
    const task = opened.then(
      () => log.info({ [role]: line.name }, `${role} is up`),
      (error: unknown) => {
        if (line.abort.signal.aborted) return;
        const fatal =
          error instanceof FairleadError
            ? error
            : new FairleadError({ code: 'E_OPEN', message: messageOf(error), cause: error });
        log.error({ [role]: line.name, code: fatal.code }, fatal.message);
        failed(fatal);
      },
    );
    this.#opening.add(task);
    void task.then(() => this.#opening.delete(task));
  }

  async #closeAll({ brokers, sources, targets }: Lines): Promise<void> {
    const { log } = this.#env;
    await Promise.all([...sources.values()].map((line) => line.close(log)));
    await Promise.all([...targets.values()].map((line) => line.close(log)));
    await Promise.all([...brokers.values()].map((line) => line.retire(log)));
  }
}

function restartNeeded(fields: readonly string[]): FairleadError {
  const message = `only a restart can change ${fields.join(', ')}`;
  return new FairleadError({ code: 'E_RELOAD_RESTART', message });
}
