import { TIMEOUT_MS } from './world/world.ts';

const SETTLED = 1;
const CHAIN_ENDED = 2;

/** Attempts under way, as columns. A slot is used again once its gateway and its target both are done with it. */
export class Attempts {
  event = new Int32Array(1_024);
  target = new Int32Array(1_024);
  gateway = new Int32Array(1_024);
  attempt = new Int32Array(1_024);
  sentAt = new Float64Array(1_024);
  status = new Int32Array(1_024);
  #state = new Uint8Array(1_024);
  #uses = new Int32Array(1_024);
  #free: number[] = [];
  #slots = 0;
  /** Slots in the order of their sends, which is that of their timeouts. */
  #ring = new Int32Array(1_024);
  #ringUses = new Int32Array(1_024);
  #head = 0;
  #count = 0;

  open(event: number, target: number, gateway: number, attempt: number, at: number): number {
    const slot = this.#free.pop() ?? this.#fresh();
    this.event[slot] = event;
    this.target[slot] = target;
    this.gateway[slot] = gateway;
    this.attempt[slot] = attempt;
    this.sentAt[slot] = at;
    this.#state[slot] = 0;
    if (this.#count === this.#ring.length) this.#widen();
    const tail = (this.#head + this.#count) & (this.#ring.length - 1);
    this.#ring[tail] = slot;
    this.#ringUses[tail] = this.#uses[slot] as number;
    this.#count += 1;
    return slot;
  }

  isSettled(slot: number): boolean {
    return ((this.#state[slot] as number) & SETTLED) !== 0;
  }

  settle(slot: number): void {
    this.#close(slot, SETTLED);
  }

  /** Nothing more comes from the target. */
  endChain(slot: number): void {
    this.#close(slot, CHAIN_ENDED);
  }

  /** Time of the next timeout; slots settled before are passed over. */
  get nextTimeout(): number {
    while (this.#count > 0) {
      const slot = this.#ring[this.#head] as number;
      if (this.#ringUses[this.#head] === this.#uses[slot] && !this.isSettled(slot))
        return (this.sentAt[slot] as number) + TIMEOUT_MS;
      this.#drop();
    }
    return Number.POSITIVE_INFINITY;
  }

  /** The slot of {@link nextTimeout}, which has to be asked first. */
  popTimeout(): number {
    const slot = this.#ring[this.#head] as number;
    this.#drop();
    return slot;
  }

  #close(slot: number, part: number): void {
    const state = (this.#state[slot] as number) | part;
    this.#state[slot] = state;
    if (state !== (SETTLED | CHAIN_ENDED)) return;
    this.#uses[slot] = (this.#uses[slot] as number) + 1;
    this.#free.push(slot);
  }

  #drop(): void {
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#count -= 1;
  }

  #fresh(): number {
    if (this.#slots === this.event.length) {
      for (const name of ['event', 'target', 'gateway', 'attempt', 'status'] as const) this[name] = doubled(this[name]);
      const sentAt = new Float64Array(this.sentAt.length * 2);
      sentAt.set(this.sentAt);
      this.sentAt = sentAt;
      const state = new Uint8Array(this.#state.length * 2);
      state.set(this.#state);
      this.#state = state;
      this.#uses = doubled(this.#uses);
    }
    this.#slots += 1;
    return this.#slots - 1;
  }

  #widen(): void {
    const length = this.#ring.length;
    const turned = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const wider = new Int32Array(length * 2);
      for (let n = 0; n < length; n += 1) wider[n] = from[(this.#head + n) & (length - 1)] as number;
      return wider;
    };
    this.#ring = turned(this.#ring);
    this.#ringUses = turned(this.#ringUses);
    this.#head = 0;
  }
}

function doubled(from: Int32Array): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(from.length * 2);
  wider.set(from);
  return wider;
}
