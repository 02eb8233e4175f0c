import type { BrokerHandle } from '../adapters/spec.ts';
import { FairleadError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Source } from '../core/source.ts';
import type { Target } from '../core/target.ts';
import type { SourceIntake } from '../pipeline/intake.ts';
import type { Lane } from '../pipeline/lane.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';

/** A broker handle with the sources and targets on it; closed when it is given up and the last of them has closed. */
export class BrokerLine {
  readonly handle: BrokerHandle;
  readonly #users = new Set<object>();
  #retired = false;

  constructor(handle: BrokerHandle) {
    this.handle = handle;
  }

  add(user: object): void {
    this.#users.add(user);
  }

  async leave(user: object, log: Log): Promise<void> {
    if (this.#users.delete(user) && this.#users.size === 0 && this.#retired) await this.#close(log);
  }

  async retire(log: Log): Promise<void> {
    this.#retired = true;
    if (this.#users.size === 0) await this.#close(log);
  }

  async #close(log: Log): Promise<void> {
    await quietly(log, {}, () => this.handle.close());
  }
}

/** A target with its lane. */
export class TargetLine {
  readonly name: string;
  readonly target: Target;
  readonly lane: Lane;
  readonly broker: BrokerLine;
  /** See {@link TargetFeatures.exclusive}. */
  readonly exclusive: boolean;
  readonly abort: AbortController = new AbortController();
  /** Resolves when what came before in its place has handed its legs over. */
  before: Promise<void> = Promise.resolve();
  #connected: Promise<void> | undefined;

  constructor(options: { name: string; target: Target; lane: Lane; broker: BrokerLine; exclusive: boolean }) {
    this.name = options.name;
    this.target = options.target;
    this.lane = options.lane;
    this.broker = options.broker;
    this.exclusive = options.exclusive;
    this.broker.add(this);
  }

  /** Connects, once; resolves when it has. Rejects when it never can, or with the reason of an abort. */
  connect(): Promise<void> {
    const { lane } = this;
    const notify = { available: () => lane.available(), unavailable: () => lane.unavailable() };
    this.#connected ??= settled(() => this.target.open(notify, this.abort.signal));
    return this.#connected;
  }

  /** Sending begins once it is connected and it is its turn. */
  async begin(): Promise<void> {
    if (this.exclusive) await this.before;
    if (this.abort.signal.aborted) throw stopped();
    await Promise.all([this.connect(), this.before]);
    this.lane.open();
  }

  async close(log: Log): Promise<void> {
    this.abort.abort(stopped());
    if (this.#connected !== undefined) await quietly(log, { target: this.name }, () => this.target.close());
    await this.broker.leave(this, log);
  }
}

/** A source with its intake. */
export class SourceLine {
  readonly name: string;
  readonly source: Source;
  readonly intake: SourceIntake;
  readonly broker: BrokerLine;
  readonly abort: AbortController = new AbortController();
  /** A reload took it out before it had been opened, so it never will be. */
  cancelled = false;
  #opened = false;

  constructor(name: string, source: Source, intake: SourceIntake, broker: BrokerLine) {
    this.name = name;
    this.source = source;
    this.intake = intake;
    this.broker = broker;
    broker.add(this);
  }

  get opened(): boolean {
    return this.#opened;
  }

  open(pipeline: Pipeline): Promise<void> {
    this.#opened = true;
    const { source, intake } = this;
    const opening = settled(() => source.open({ batch: (batch) => pipeline.take(intake, batch) }, this.abort.signal));
    intake.opened();
    return opening;
  }

  async close(log: Log): Promise<void> {
    this.abort.abort(stopped());
    if (this.#opened) await quietly(log, { source: this.name }, () => this.source.close());
    await this.broker.leave(this, log);
  }
}

/** Closing goes on whatever fails; it is logged. */
async function quietly(log: Log, fields: object, close: () => Promise<void>): Promise<void> {
  try {
    await close();
  } catch (error) {
    log.error({ ...fields, error: messageOf(error) }, 'closing failed');
  }
}

/** What a component throws at once counts as a rejection. Nobody need listen. */
function settled(open: () => Promise<void>): Promise<void> {
  const opening = (async () => open())();
  opening.catch(() => undefined); // told by whoever waits for it
  return opening;
}

/** Why something that was being opened is not. */
export function stopped(): FairleadError {
  return new FairleadError({ code: 'E_STOPPED', message: 'the component was stopped' });
}
