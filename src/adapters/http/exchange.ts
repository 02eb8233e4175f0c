import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../core/clock.ts';
import type { FairleadError } from '../../core/errors.ts';
import { aborted, requestError, retryAfter } from './errors.ts';

/** How much of a response's body is read away to keep the connection; a longer one costs the connection. */
const MAX_RESPONSE_BYTES = 65_536;

/** A response's head, or why there is none. */
export type Reply =
  | { readonly status: number; readonly headers: IncomingHttpHeaders; readonly retryAfterMs: number | undefined }
  | { readonly error: FairleadError };

/**
 * One request under way. The head of the response settles it; its body is read away behind, bounded. Dispatched directly:
 * `undici.request` makes a stream of every body, of which nothing is wanted here.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #settle: (reply: Reply, exchange: Exchange) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #bytes = 0;
  #settled = false;
  #aborted = false;

  constructor(clock: Clock, signal: AbortSignal, settle: (reply: Reply, exchange: Exchange) => void) {
    this.#clock = clock;
    this.#signal = signal;
    this.#settle = settle;
  }

  /** Begins, unless the signal says otherwise already. */
  start(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions): void {
    if (this.#signal.aborted) {
      this.abort();
      return;
    }
    this.#signal.addEventListener('abort', this);
    dispatcher.dispatch(options, this);
  }

  /** The signal's only event. */
  handleEvent(): void {
    this.abort();
  }

  /** Gives up; without effect where there is a response already. */
  abort(): void {
    if (this.#settled) return;
    this.#aborted = true;
    const error = aborted(this.#controller !== undefined);
    this.#end({ error });
    this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(aborted(false));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // informational: the response is still to come
    this.#end({ status, headers, retryAfterMs: retryAfter(headers['retry-after'], this.#clock.wall()) });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_RESPONSE_BYTES) controller.abort(new Error('the body of the response is not wanted'));
  }

  onResponseEnd(): void {}

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end({ error: requestError(error) });
  }

  #end(reply: Reply): void {
    if (this.#settled) return; // the body broke, was too long or was given up: the head has decided
    this.#settled = true;
    this.#signal.removeEventListener('abort', this);
    this.#settle(reply, this);
  }
}
