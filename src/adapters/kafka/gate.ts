import type { Clock } from '../../core/clock.ts';

/** Open or shut; who waits goes on when it opens, or after a while to send a heartbeat. */
export class Gate {
  readonly #clock: Clock;
  #open: boolean;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock, open: boolean) {
    this.#clock = clock;
    this.#open = open;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  open(): void {
    this.#open = true;
    this.wake();
  }

  shut(): void {
    this.#open = false;
  }

  /** Lets everyone look again, without opening. */
  wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Resolves at the next `open` or `wake`, or after `ms`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, () => {
        const at = this.#waiting.indexOf(go);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve();
      });
      const go = (): void => {
        cancel();
        resolve();
      };
      this.#waiting.push(go);
    });
  }
}
