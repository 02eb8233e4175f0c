import type { Packet } from 'mqtt';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { CheckItem, Health } from '../../core/source.ts';
import {
  CONFIRMED,
  type Leg,
  resultOf,
  type SendLimits,
  type SendResult,
  type Target,
  type TargetNotify,
} from '../../core/target.ts';
import type { AdapterContext, CommonTargetConfig } from '../spec.ts';
import { checkTarget, serverMistake } from './check.ts';
import type { MqttBrokerConfig, MqttTargetConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { Encoder } from './encode.ts';
import { pubackResult } from './errors.ts';
import { InFlight, Sending } from './in-flight.ts';
import { Link } from './link.ts';
import { MAX_REMAINING_BYTES, type Publication, PublishWriter } from './publish-packet.ts';
import { Suspects } from './suspects.ts';

/** How long running sends may go on when closing, in ms. */
const CLOSE_TIMEOUT_MS = 2_000;

const OFFLINE = failure('E_MQTT_OFFLINE', 'not connected', { unavailable: true });
const LOST = failure('E_MQTT_CONNECTION', 'the connection broke while writing', {
  unavailable: true,
  status: 'unknown',
});
const LATE_UNWRITTEN = failure('E_TIMEOUT', 'the send ended before its turn to be written');
const LATE_WRITTEN = failure('E_TIMEOUT', 'no PUBACK in time', { status: 'unknown' });

/** Publishes with QoS 1, many in flight, confirmed by PUBACK. Nothing is kept to be sent again: that is the lane's. */
export class MqttTarget implements Target {
  readonly limits: SendLimits;
  readonly #config: MqttTargetConfig;
  readonly #writer: PublishWriter;
  readonly #link: Link;
  readonly #encoder: Encoder;
  readonly #check: () => Promise<CheckItem[]>;
  #notify: TargetNotify | undefined;
  #connection: Connection | undefined;
  #inFlight: InFlight = new InFlight(0);
  #waiting: Sending[] = [];
  #scheduled = false;
  readonly #suspects: Suspects = new Suspects();
  #running: Set<Sending> = new Set();
  #idle: () => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(broker: MqttBrokerConfig, config: MqttTargetConfig & CommonTargetConfig, context: AdapterContext) {
    const encoding = config.encoding ?? 'structured';
    const version = broker.protocolVersion;
    this.limits = { maxEvents: Math.min(256, config.maxInFlight), maxBytes: 1_048_576, concurrency: 4 };
    this.#config = config;
    this.#writer = new PublishWriter({ qos: config.qos, retain: config.retain, version });
    this.#encoder = new Encoder({ ...config, encoding, version });
    const clientId = config.clientId ?? `${context.gateway}-${context.name}-${context.instance}-pub`;
    this.#link = new Link({
      ...context,
      connect: (signal) => openConnection(broker, { clientId, clean: true }, signal),
      up: async (connection) => this.#up(connection),
      down: (error) => this.#down(error),
    });
    this.#check = () => checkTarget(broker, config, clientId);
  }

  async open(notify: TargetNotify, signal: AbortSignal): Promise<void> {
    this.#notify = notify;
    await this.#link.open(signal);
  }

  send(legs: readonly Leg[], signal: AbortSignal): Promise<readonly SendResult[]> {
    if (legs.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const sending = new Sending(legs, (results) => {
        signal.removeEventListener('abort', onAbort);
        this.#running.delete(sending);
        if (this.#running.size === 0) this.#idle();
        resolve(results);
      });
      const onAbort = (): void => this.#giveUp(sending);
      if (this.#connection === undefined || this.#closing !== undefined) sending.finish(OFFLINE, OFFLINE);
      else if (signal.aborted) sending.finish(LATE_UNWRITTEN, LATE_UNWRITTEN);
      else {
        signal.addEventListener('abort', onAbort, { once: true });
        this.#running.add(sending);
        this.#waiting.push(sending);
        this.#write();
      }
    });
  }

  async backlog(): Promise<undefined> {
    return undefined; // MQTT does not tell what waits for the subscribers
  }

  check(): Promise<CheckItem[]> {
    return this.#check();
  }

  health(): Health {
    return this.#link.health.read({
      inFlight: this.#inFlight.count,
      window: this.#inFlight.capacity,
      reconnects: this.#link.losses,
      headersDropped: this.#encoder.headersDropped,
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#link.close(() => this.#settle());
    return this.#closing;
  }

  #up(connection: Connection): void {
    const { client, server } = connection;
    const mistake = serverMistake(server, this.#config);
    if (mistake !== undefined) throw mistake;
    const inFlight = new InFlight(Math.min(this.#config.maxInFlight, server.receiveMaximum ?? 65_535));
    this.#inFlight = inFlight;
    this.#suspects.connected();
    client.on('packetreceive', (packet) => this.#received(packet, inFlight));
    this.#connection = connection;
    this.#notify?.available();
  }

  /** What was written may have arrived; nothing of it is sent again from here. */
  #down(error: FairleadError): void {
    this.#connection = undefined;
    const { code, message } = error;
    const lost: SendResult = { status: 'unknown', code, message, retryable: true, unavailable: true };
    const pending = this.#inFlight.pending();
    this.#suspects.broke(pending.map(({ event }) => event));
    for (const { sending, index, event } of pending) {
      sending.result(index, this.#suspects.has(event) ? { ...lost, unavailable: false } : lost);
    }
    for (const sending of [...this.#running]) sending.finish(lost, OFFLINE);
    this.#waiting = [];
    this.#notify?.unavailable(error);
  }

  #received(packet: Packet, inFlight: InFlight): void {
    if (packet.cmd !== 'puback' || packet.messageId === undefined) return;
    if (!inFlight.answered(packet.messageId, pubackResult(packet.reasonCode))) return;
    this.#suspects.confirmed();
    if (this.#waiting.length === 0 || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#write();
    });
  }

  /** Writes what waits, as far as packet ids are free, in one burst. */
  #write(): void {
    const { stream } = this.#connection?.client ?? {};
    if (stream === undefined) return;
    const unconfirmed: Sending[] = [];
    for (let sending = this.#waiting[0]; sending !== undefined; sending = this.#waiting[0]) {
      while (sending.next < sending.legs.length && this.#writeOne(sending)) sending.next += 1;
      if (sending.next < sending.legs.length) break;
      this.#waiting.shift();
      if (this.#config.qos === 0) unconfirmed.push(sending);
    }
    const chunks = this.#writer.take();
    const finish = (error?: Error | null): void => {
      for (const sending of unconfirmed) sending.finish(error ? LOST : CONFIRMED, OFFLINE);
    };
    if (chunks.length === 0) {
      finish();
      return;
    }
    const last = chunks.pop() as Buffer;
    stream.cork();
    for (const chunk of chunks) stream.write(chunk);
    stream.write(last, finish);
    stream.uncork();
  }

  /** False where no packet id is free. */
  #writeOne(sending: Sending): boolean {
    const { qos } = this.#config;
    const index = sending.next;
    if (qos === 1 && (this.#inFlight.isFull || this.#inFlight.count >= this.#suspects.limit)) return false;
    let publication: Publication;
    try {
      publication = this.#fitting(sending.legs[index] as Leg);
    } catch (error) {
      const coded = error instanceof FairleadError ? error : unencodable(error);
      sending.result(index, resultOf(coded));
      return true;
    }
    const id = qos === 0 ? 0 : this.#inFlight.take(sending, index);
    this.#writer.add(publication, id);
    return true;
  }

  /** An event as the broker takes it; throws a final `E_TOO_LARGE` where it takes none so large. */
  #fitting(leg: Leg): Publication {
    const maxBytes = this.#connection?.server.maximumPacketSize ?? MAX_REMAINING_BYTES;
    const whole = this.#encoder.encode(leg);
    if (this.#writer.sizeOf(whole) <= maxBytes) return whole;
    const publication = this.#encoder.untraced(whole, leg);
    const bytes = this.#writer.sizeOf(publication);
    if (bytes <= maxBytes) return publication;
    throw new FairleadError({
      code: 'E_TOO_LARGE',
      message: `the packet has ${bytes} bytes, more than the ${maxBytes} that the broker takes`,
    });
  }

  #giveUp(sending: Sending): void {
    sending.finish(LATE_WRITTEN, LATE_UNWRITTEN);
    const at = this.#waiting.indexOf(sending);
    if (at >= 0) this.#waiting.splice(at, 1);
    // packet ids without PUBACK are never free again on this connection
    if (this.#inFlight.abandoned() * 2 > this.#inFlight.capacity) {
      this.#connection?.cut(
        new FairleadError({
          code: 'E_MQTT_NO_PUBACK',
          message: 'the broker does not confirm',
          unavailable: true,
          sent: 'unknown',
        }),
      );
    }
  }

  /** Lets running sends end, bounded. */
  async #settle(): Promise<void> {
    if (this.#running.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    clearTimeout(timer);
    for (const sending of this.#running) sending.finish(LATE_WRITTEN, OFFLINE);
  }
}

function failure(
  code: string,
  message: string,
  more: { status?: 'failed' | 'unknown'; unavailable?: boolean } = {},
): SendResult {
  return { status: 'failed', code, message, retryable: true, ...more };
}

function unencodable(error: unknown): FairleadError {
  return new FairleadError({
    code: 'E_ENCODE',
    message: `the event cannot be encoded: ${messageOf(error)}`,
    cause: error,
  });
}
