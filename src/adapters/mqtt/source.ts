import { randomUUID } from 'node:crypto';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { compileWrap } from '../../cloudevents/wrap.ts';
import type { Outcome } from '../../core/delivery.ts';
import type { CheckItem, Health, Intake, Source } from '../../core/source.ts';
import type { AdapterContext, CommonSourceConfig } from '../spec.ts';
import { MqttBatch } from './batch.ts';
import { checkSource } from './check.ts';
import { Decoder } from './codec.ts';
import type { MqttBrokerConfig, MqttSourceConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { LatePuback } from './late-puback.ts';
import { type Carried, Ledger } from './ledger.ts';
import { Link } from './link.ts';
import { subscribe } from './subscribe.ts';

/** How long the last acknowledgements may take to reach the broker when closing, in ms. */
const FLUSH_TIMEOUT_MS = 2_000;

/**
 * A subscription with PUBACK after settlement. Each connection is an epoch with a ledger of its own: an acknowledgement can
 * only leave on the connection that its packet id came from.
 */
export class MqttSource implements Source {
  readonly #config: MqttSourceConfig;
  readonly #clientId: string;
  readonly #link: Link;
  readonly #decoder: Decoder;
  #intake: Intake | undefined;
  #puback: LatePuback | undefined;
  #ledger: Ledger;
  #carried: Map<number, Carried> = new Map();
  #batch: MqttBatch | undefined;
  #subscribed = false;
  #paused = false;
  #isClosing = false;
  #closed: Promise<void> | undefined;
  #flushing = false;
  #unsettled = 0;
  #unsettledBytes = 0;
  readonly #counts = { adopted: 0, returned: 0, rejected: 0, retainedIgnored: 0 };
  readonly #onSettled = (outcome: Outcome, bytes: number): void => this.#settled(outcome, bytes);
  readonly #check: () => Promise<CheckItem[]>;

  constructor(broker: MqttBrokerConfig, config: MqttSourceConfig & CommonSourceConfig, context: AdapterContext) {
    this.#config = config;
    this.#ledger = new Ledger(config.receiveMaximum);
    const clientId = config.clientId ?? `${context.gateway}-${context.name}-${context.instance}`;
    this.#clientId = clientId;
    const run = randomUUID();
    let count = 0;
    this.#decoder = new Decoder({
      format: config.format,
      wrap: compileWrap(config.as, { type: 'org.mqtt.message', source: 'mqtt:{topic}' }),
      maxEventBytes: config.maxEventBytes,
      clientId,
      newId: () => {
        count += 1;
        return `${run}-${count}`;
      },
    });
    const session = {
      clientId,
      // MQTT 3.1.1 has no expiry: a session is kept for ever or not at all.
      clean: broker.protocolVersion === 4 && config.sessionExpiry === 0,
      properties: {
        sessionExpiryInterval: Math.round(config.sessionExpiry / 1000),
        receiveMaximum: config.receiveMaximum,
      },
    };
    const hooks = {
      attach: (client: MqttClient) => this.#attach(client),
      greeted: (present: boolean) => this.#greeted(present),
    };
    this.#link = new Link({
      ...context,
      connect: (signal) => openConnection(broker, session, signal, hooks),
      up: (connection) => this.#subscribe(connection),
      down: () => {},
    });
    this.#check = () => checkSource(broker, config, clientId);
  }

  async open(intake: Intake, signal: AbortSignal): Promise<void> {
    this.#intake = intake;
    await this.#link.open(signal);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#hasRoom()) this.#puback?.release();
  }

  async lag(): Promise<undefined> {
    return undefined; // MQTT does not tell what waits in a session
  }

  check(): Promise<CheckItem[]> {
    return this.#check();
  }

  health(): Health {
    return this.#link.health.read({
      clientId: this.#clientId,
      unsettled: this.#unsettled,
      unacknowledged: this.#ledger.window,
      reconnects: this.#link.losses,
      ...this.#counts,
    });
  }

  async drained(): Promise<void> {
    if (this.#puback?.open !== true) return;
    this.#puback.acknowledge(this.#ledger.collect());
    await this.#puback.flushed(FLUSH_TIMEOUT_MS);
  }

  close(): Promise<void> {
    this.#isClosing = true;
    this.#closed ??= this.#link.close(() => this.#goodbye());
    return this.#closed;
  }

  #attach(client: MqttClient): void {
    const { ledger } = this.#nextEpoch();
    this.#puback = new LatePuback(client, (packet) => this.#take(packet, ledger));
  }

  /** Packet ids of the connection before mean nothing from here on; what it left unacknowledged is carried over. */
  #nextEpoch(): { ledger: Ledger } {
    this.#flushBatch();
    this.#ledger.carry(this.#carried);
    this.#ledger = new Ledger(this.#config.receiveMaximum);
    return { ledger: this.#ledger };
  }

  #greeted(sessionPresent: boolean): void {
    if (!sessionPresent) this.#carried.clear();
  }

  /** A resumed session keeps its subscriptions; the first time they may be other ones than the configuration has now. */
  async #subscribe(connection: Connection): Promise<void> {
    if (this.#subscribed && connection.sessionPresent) return;
    await subscribe(connection, this.#config);
    this.#subscribed = true;
  }

  /** Takes a packet and tells whether there is room for another. */
  #take(packet: IPublishPacket, ledger: Ledger): boolean {
    if (this.#isClosing) return true; // not acknowledged: the broker keeps it
    const slot = ledger.deliver(packet);
    if (this.#isRepeated(packet, ledger, slot) || this.#isUnwanted(packet, ledger, slot)) {
      this.#scheduleFlush();
      return this.#hasRoom();
    }
    const bytes = packet.payload.length;
    this.#unsettled += 1;
    this.#unsettledBytes += bytes;
    if (this.#batch === undefined) {
      this.#batch = new MqttBatch(ledger, this.#onSettled);
      setImmediate(() => this.#flushBatch());
    }
    this.#batch.add(this.#decoder.decode(packet), slot, bytes);
    return this.#hasRoom();
  }

  /** After a reconnect: a repetition of what is still under way, or was settled too late to be acknowledged. */
  #isRepeated(packet: IPublishPacket, ledger: Ledger, slot: number): boolean {
    if (this.#carried.size === 0 || packet.messageId === undefined) return false;
    const before = this.#carried.get(packet.messageId);
    if (before === undefined) return false;
    this.#carried.delete(packet.messageId);
    if (!Ledger.handOver(before, packet, ledger, slot)) return false;
    this.#counts.adopted += 1;
    return true;
  }

  /** MQTT 3.1.1 cannot ask for no retained events. */
  #isUnwanted(packet: IPublishPacket, ledger: Ledger, slot: number): boolean {
    if (!packet.retain || this.#config.retain === 'take') return false;
    this.#counts.retainedIgnored += 1;
    ledger.settle(slot, true);
    return true;
  }

  #hasRoom(): boolean {
    const { receiveMaximum, receiveBytes } = this.#config;
    return (
      !this.#paused &&
      this.#ledger.window < receiveMaximum &&
      this.#unsettled < receiveMaximum &&
      this.#unsettledBytes < receiveBytes
    );
  }

  /** What one turn of the event loop read from the socket goes to the pipeline as one batch. */
  #flushBatch(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    this.#intake?.batch(batch);
  }

  #settled(outcome: Outcome, bytes: number): void {
    this.#unsettled -= 1;
    this.#unsettledBytes -= bytes;
    if (outcome.verdict === 'retry') this.#counts.returned += 1;
    else if (outcome.verdict === 'reject') this.#counts.rejected += 1;
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (this.#puback?.open !== true) return; // carried over to the next connection
      this.#puback.acknowledge(this.#ledger.collect());
      if (this.#hasRoom()) this.#puback.release();
    });
  }

  /**
   * Acknowledges everything settled and waits until the broker has read it: closing a socket with unread bytes in it resets the
   * connection, and that can overtake what was just written.
   */
  async #goodbye(): Promise<void> {
    this.#flushBatch();
    this.#puback?.release();
    if (this.#puback?.open !== true) return;
    this.#puback.acknowledge(this.#ledger.collectAll());
    await this.#puback.flushed(FLUSH_TIMEOUT_MS);
  }
}
