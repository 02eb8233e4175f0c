import type { IPublishPacket, MqttClient, Packet } from 'mqtt';

/** The mqtt.js release this file was checked against; a contract test fails on another. */
export const CHECKED_MQTT_VERSION = '5.16.0';

const WITHHELD = new Error('PUBACK is sent when the event is settled');

/**
 * PUBACK after settlement, with many events in flight, on a client that knows only one.
 *
 * mqtt.js parses nothing while `handleMessage` waits for its callback, not even a PINGRESP, and sends PUBACK when the
 * callback comes without an error. So the callback comes at once with an error, which withholds the PUBACK and goes on parsing, and
 * the PUBACK is written to the client's stream later: four bytes each, a whole burst in one write. (`customHandleAcks` looks
 * made for this, but its deferred callback stops the parser just the same.)
 *
 * The callback is kept back only to stop reading, when `take` says that there is no room: the stream then fills up and TCP
 * slows the broker down, whether or not it honours Receive Maximum. Meanwhile no PINGRESP can be seen, so pings are sent
 * from here and the client's keepalive check is put off: the broker still hears us.
 */
export class LatePuback {
  readonly #client: MqttClient;
  #resume: (() => void) | undefined;
  #pings: NodeJS.Timeout | undefined;

  /** `take` is given every packet, in order, QoS 0 included, and tells whether there is room for another. It never throws. */
  constructor(client: MqttClient, take: (packet: IPublishPacket) => boolean) {
    this.#client = client;
    client.handleMessage = (packet, done) => {
      if (take(packet)) done(WITHHELD);
      else this.#hold(() => done(WITHHELD));
    };
    client.once('close', () => this.#stopPings());
  }

  /** Whether reading stands still until {@link release}. */
  get held(): boolean {
    return this.#resume !== undefined;
  }

  /** Goes on reading. */
  release(): void {
    const resume = this.#resume;
    if (resume === undefined) return;
    this.#resume = undefined;
    this.#stopPings();
    this.#client.reschedulePing(true);
    resume();
  }

  /** Whether a PUBACK could still leave on the connection that its packet came from. */
  get open(): boolean {
    return this.#client.stream.writable && !this.#client.stream.destroyed;
  }

  /** Sends PUBACK for packet ids that came on this connection. */
  acknowledge(ids: readonly number[]): void {
    if (ids.length === 0) return;
    // PUBACK with reason code 0 is the same in MQTT 3.1.1 and 5: 0x40, remaining length 2, packet id (§3.4)
    const bytes = Buffer.allocUnsafe(ids.length * 4);
    for (let i = 0, at = 0; i < ids.length; i += 1, at += 4) {
      const id = ids[i] as number;
      bytes[at] = 0x40;
      bytes[at + 1] = 2;
      bytes[at + 2] = id >> 8;
      bytes[at + 3] = id & 0xff;
    }
    this.#client.stream.write(bytes);
  }

  /**
   * Resolves when the broker has read all that was written before, which a PINGRESP tells; also when the connection ends or after `timeoutMs`.
   * While reading stands still it cannot be seen, and the bytes are left to the system.
   */
  async flushed(timeoutMs: number): Promise<void> {
    const client = this.#client;
    if (this.held || !client.connected) return;
    let finish = (): void => {};
    const over = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const onPacket = ({ cmd }: Packet): void => {
      if (cmd === 'pingresp') finish();
    };
    const timer = setTimeout(finish, timeoutMs);
    client.on('packetreceive', onPacket);
    client.once('close', finish);
    client.sendPing();
    await over;
    clearTimeout(timer);
    client.off('packetreceive', onPacket);
    client.off('close', finish);
  }

  #hold(resume: () => void): void {
    this.#resume = resume;
    this.#client.reschedulePing(true);
    const everyMs = this.#client.keepalive * 500;
    if (everyMs === 0) return;
    this.#pings = setInterval(() => {
      if (!this.#client.connected) return;
      this.#client.sendPing();
      this.#client.reschedulePing(true);
    }, everyMs);
  }

  #stopPings(): void {
    clearInterval(this.#pings);
    this.#pings = undefined;
  }
}
