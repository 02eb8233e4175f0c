import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a receiver takes its time: the median, and the median for large events, in ms; each event under way adds a share of it. */
export interface Manner {
  readonly medianMs: number;
  readonly largeMs: number;
  readonly crowding: number;
}

export const LARGE_BYTES = 4_096;
const SPREAD = 0.2;

/** A receiver of events that is steered while it runs. */
export class Receiver {
  readonly name: string;
  manner: Manner;
  readonly #server: Server;
  readonly #random: () => number;
  #busy = 0;

  constructor(name: string, manner: Manner, random: () => number) {
    this.name = name;
    this.manner = manner;
    this.#random = random;
    this.#server = createServer((request, response) => {
      let bytes = 0;
      request.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      request.on('end', () => void this.#answer(bytes, () => response.writeHead(204).end()));
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(bytes: number, done: () => void): Promise<void> {
    const { medianMs, largeMs, crowding } = this.manner;
    const alone = (bytes > LARGE_BYTES ? largeMs : medianMs) * Math.exp(SPREAD * this.#normal());
    this.#busy += 1;
    await sleep(alone * (1 + crowding * (this.#busy - 1)));
    this.#busy -= 1;
    done();
  }

  /** Box and Muller 1958. */
  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}

/** Calls `send` as often as events are due, whatever becomes of them; the returned function ends that. */
export function openLoop(perSecond: number, random: () => number, send: (count: number) => void): () => void {
  let due = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    let count = 0;
    while (due <= now) {
      due += (-Math.log(1 - random()) * 1_000) / perSecond;
      count += 1;
    }
    if (count > 0) send(count);
  }, 2);
  return () => clearInterval(timer);
}
