import { connect, type IClientOptions, type IPublishPacket, type MqttClient, UniqueMessageIdProvider } from 'mqtt';
import { envelope } from './envelope.ts';
import { keyIn } from './key.ts';
import type { RawBatch, RawEnd, RawEvent, RawSource, RawTarget } from './types.ts';
import { Waiting } from './waiting.ts';

const IN_FLIGHT = 1_000;
const WITHHELD = new Error('PUBACK follows');

function client(end: RawEnd, options: IClientOptions): MqttClient {
  const made = connect(end.broker['url'] as string, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    resubscribe: false,
    reschedulePings: false,
    queueQoSZero: false,
    messageIdProvider: new UniqueMessageIdProvider(),
    log: () => {},
    ...options,
  });
  (made.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  return made;
}

function connected(made: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    made.once('connect', () => resolve());
    made.once('error', reject);
  });
}

/**
 * A persistent session whose PUBACKs leave after the far broker's confirmation: `handleMessage` ends with an error, which
 * withholds the PUBACK and lets the client parse on, and the packets are written in one burst per turn.
 */
export async function mqttSource(end: RawEnd, onBatch: (batch: RawBatch) => void): Promise<RawSource> {
  let arrived: IPublishPacket[] = [];
  let confirmed: number[] = [];
  let inFlight = 0;
  let resume: (() => void) | undefined;
  const source = client(end, {
    clean: false,
    clientId: end.at['clientId'] as string,
    properties: { sessionExpiryInterval: 3_600, receiveMaximum: IN_FLIGHT },
  });
  const handOver = (): void => {
    const packets = arrived;
    arrived = [];
    onBatch({
      events: packets.map(eventOf),
      confirmed(index) {
        if (confirmed.push(packets[index]?.messageId as number) === 1) setImmediate(acknowledge);
      },
    });
  };
  const acknowledge = (): void => {
    const ids = confirmed;
    confirmed = [];
    const bytes = Buffer.allocUnsafe(ids.length * 4);
    for (const [n, id] of ids.entries()) bytes.writeUInt32BE(0x40020000 | id, n * 4);
    source.stream.write(bytes);
    inFlight -= ids.length;
    resume?.();
    resume = undefined;
  };
  source.handleMessage = (packet, done) => {
    inFlight += 1;
    if (arrived.push(packet) === 1) setImmediate(handOver);
    if (inFlight < IN_FLIGHT) done(WITHHELD);
    else resume = () => done(WITHHELD);
  };
  await connected(source);
  await source.subscribeAsync(end.at['topic'] as string, { qos: 1, rh: 1 });
  return { close: () => source.endAsync() };
}

function eventOf({ topic, payload, properties }: IPublishPacket): RawEvent {
  return {
    payload: payload as Buffer,
    headers: undefined,
    contentType: properties?.contentType,
    key: topic.slice(topic.lastIndexOf('/') + 1),
  };
}

/** QoS 1, at most 1,000 in flight, confirmed by PUBACK; headers go into the payload. */
export async function mqttTarget(end: RawEnd): Promise<RawTarget> {
  const target = client(end, { clean: true });
  await connected(target);
  const prefix = (end.at['topic'] as string).replace(/\{.*$/, '');
  const waiting = new Waiting();
  let outstanding = 0;
  const publish = (event: RawEvent, batch: RawBatch, index: number): void => {
    const { payload, contentType } = envelope(event);
    const topic = prefix + (event.key ?? keyIn(payload) ?? 'none');
    target.publish(topic, payload, { qos: 1, properties: { contentType: contentType as string } }, (error) => {
      if (error) throw error;
      outstanding -= 1;
      batch.confirmed(index);
      pump();
    });
  };
  const pump = (): void => {
    const count = Math.min(IN_FLIGHT - outstanding, waiting.count);
    outstanding += count;
    waiting.take(count, publish);
  };
  return {
    send(batch) {
      waiting.push(batch);
      pump();
    },
    close: () => target.endAsync(),
  };
}
