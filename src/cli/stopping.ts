import { EXIT } from './exit.ts';

/** A Ctrl-C reaches a process several times at once when wrappers such as npm forward it; that is one request. */
const SAME_REQUEST_MS = 500;

/** What ends a running gateway: a signal, which drains it, a failure, or the command itself. A second signal forces. */
export class Stopping {
  /** Resolves with the exit code as soon as the gateway shall stop. */
  readonly code: Promise<number>;
  /** Asks for the stop; the first call counts. */
  readonly request: (code: number) => void;
  readonly #onSignal: (signal: NodeJS.Signals) => void;

  constructor(told: (signal: NodeJS.Signals) => void) {
    let request: (code: number) => void = () => {};
    this.code = new Promise((resolve) => {
      request = resolve;
    });
    this.request = request;
    let firstAt: number | undefined;
    this.#onSignal = (signal) => {
      const now = performance.now();
      if (firstAt !== undefined && now - firstAt > SAME_REQUEST_MS) process.exit(EXIT.runtime);
      if (firstAt !== undefined) return;
      firstAt = now;
      told(signal);
      request(EXIT.ok);
    };
    process.on('SIGTERM', this.#onSignal).on('SIGINT', this.#onSignal);
  }

  /** Gives the signals back. */
  dispose(): void {
    process.off('SIGTERM', this.#onSignal).off('SIGINT', this.#onSignal);
  }
}
