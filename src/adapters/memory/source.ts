import { compileWrap, type Wrap } from '../../cloudevents/wrap.ts';
import { HealthRecord } from '../../core/connection.ts';
import type { Delivery, DeliveryBatch, Outcome } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { CheckItem, Health, Intake, Source } from '../../core/source.ts';
import type { AdapterContext, CommonSourceConfig } from '../spec.ts';
import type { MemoryTopic, StoredRecord } from './broker.ts';
import { decode } from './codec.ts';
import type { SourceConfig } from './config.ts';

export class MemorySource implements Source {
  readonly #topic: MemoryTopic;
  readonly #config: SourceConfig & CommonSourceConfig;
  readonly #context: AdapterContext;
  readonly #wrap: Wrap;
  readonly #health = new HealthRecord();
  readonly #batches = new Set<MemoryBatch>();
  #intake: Intake | undefined;
  #stop: (() => void) | undefined;
  #paused = false;
  #scheduled = false;

  constructor(topic: MemoryTopic, config: SourceConfig & CommonSourceConfig, context: AdapterContext) {
    this.#topic = topic;
    this.#config = config;
    this.#context = context;
    this.#wrap = compileWrap(config.as, { type: 'io.fairlead.memory.record', source: '/memory/{topic}' });
  }

  async open(intake: Intake, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#intake = intake;
    this.#stop = this.#topic.onRecords(() => this.#schedule());
    this.#health.up();
    this.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  async lag(): Promise<number> {
    return this.#topic.waiting;
  }

  async check(): Promise<CheckItem[]> {
    return [{ what: `memory topic "${this.#topic.name}"`, ok: true }];
  }

  health(): Health {
    return this.#health.read({ unsettled: this.#unsettled().length });
  }

  async drained(): Promise<void> {}

  async close(): Promise<void> {
    this.#stop?.();
    this.#intake = undefined;
    this.#topic.giveBack(this.#unsettled());
    this.#batches.clear();
    this.#health.closed();
  }

  /** Gathers what is put in one turn of the event loop into one batch. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#hand();
    });
  }

  #hand(): void {
    const intake = this.#intake;
    if (intake === undefined || this.#paused) return;
    const records = this.#topic.take(this.#config.maxBatch);
    if (records.length === 0) return;
    const deliveries = records.map((record) => this.#delivery(record));
    const batch = new MemoryBatch(records, deliveries, (ended, index, outcome) => this.#settle(ended, index, outcome));
    this.#batches.add(batch);
    intake.batch(batch);
    if (this.#topic.waiting > 0) this.#schedule();
  }

  #delivery(stored: StoredRecord): Delivery {
    const { record, offset, attempt } = stored;
    const meta = { position: { topic: this.#topic.name, offset }, headers: record.headers };
    try {
      const event = record.event ?? this.#decode(stored);
      const partitionkey = event.extensions['partitionkey'];
      const orderingKey = record.key ?? (partitionkey === undefined ? undefined : String(partitionkey));
      return { event, attempt, orderingKey, meta };
    } catch (error) {
      if (!(error instanceof FairleadError)) throw error;
      const raw = record.body ?? Buffer.alloc(0);
      const poison = { code: error.code, message: error.message, raw, contentType: record.contentType };
      return { poison, attempt, orderingKey: record.key, meta };
    }
  }

  #decode({ record, offset }: StoredRecord): MeshEvent {
    const topic = this.#topic.name;
    const resolve = (name: string): string | undefined => ({ topic, key: record.key, offset: String(offset) })[name];
    return decode(record, this.#wrap, resolve, `${topic}-${offset}`);
  }

  #unsettled(): StoredRecord[] {
    return [...this.#batches].flatMap((batch) => batch.records.filter((_, index) => batch.open[index] === 1));
  }

  #settle(batch: MemoryBatch, index: number, outcome: Outcome): void {
    if (!this.#batches.has(batch)) return; // closed meanwhile: it was given back then
    if (batch.left === 0) this.#batches.delete(batch);
    const record = batch.records[index] as StoredRecord;
    if (outcome.verdict !== 'retry') this.#topic.acknowledge(1);
    else if ((outcome.delayMs ?? 0) === 0) this.#topic.giveBack([record]);
    else this.#context.clock.after(outcome.delayMs as number, () => this.#topic.giveBack([record]));
  }
}

type OnSettled = (batch: MemoryBatch, index: number, outcome: Outcome) => void;

class MemoryBatch implements DeliveryBatch {
  readonly records: readonly StoredRecord[];
  readonly deliveries: readonly Delivery[];
  /** 1 while a delivery is unsettled. */
  readonly open: Uint8Array;
  left: number;
  readonly #settled: OnSettled;

  constructor(records: readonly StoredRecord[], deliveries: readonly Delivery[], settled: OnSettled) {
    this.records = records;
    this.deliveries = deliveries;
    this.open = new Uint8Array(records.length).fill(1);
    this.left = records.length;
    this.#settled = settled;
  }

  settle(index: number, outcome: Outcome): void {
    this.open[index] = 0;
    this.left -= 1;
    this.#settled(this, index, outcome);
  }
}
