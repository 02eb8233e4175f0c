import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outcome } from '../../core/delivery.ts';
import { later, type Problem, sendProblem } from './problem.ts';

const ACCEPTED = ['content-length', '0'];
const ACCEPTED_CLOSE = ['content-length', '0', 'connection', 'close'];

/** One request that waits for its events to be settled: answered once, by the last settlement or by its deadline. */
export class PendingRequest {
  /** Monotonic milliseconds at which 503 is answered. */
  readonly deadline: number;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #events: number;
  #open: number;
  #rejected = 0;
  #reason = '';
  #returned: Extract<Outcome, { verdict: 'retry' }> | undefined;
  #answered = false;

  constructor(request: IncomingMessage, response: ServerResponse, events: number, deadline: number) {
    this.#request = request;
    this.#response = response;
    this.#events = events;
    this.#open = events;
    this.deadline = deadline;
  }

  get answered(): boolean {
    return this.#answered;
  }

  /** True when this was the last of its events. */
  settled(outcome: Outcome): boolean {
    if (outcome.verdict === 'reject') {
      this.#rejected += 1;
      this.#reason = outcome.reason;
    } else if (outcome.verdict === 'retry') {
      this.#returned = outcome;
    }
    this.#open -= 1;
    return this.#open === 0;
  }

  /**
   * Answers by what became of the events: all taken 202, one to be sent again 503, all refused 422, some refused 500: a batch
   * has one status. False when the client is gone.
   */
  answer(retryAfterMs: number, closing: boolean): boolean {
    if (this.#returned !== undefined) {
      const { reason, delayMs = 0 } = this.#returned;
      return this.refuse(later('E_HTTP_RETURNED', reason, Math.max(delayMs, retryAfterMs), closing));
    }
    if (this.#rejected > 0) return this.refuse(this.#rejection());
    this.#answered = true;
    if (this.gone) return false;
    this.#response.writeHead(202, closing ? ACCEPTED_CLOSE : ACCEPTED);
    this.#response.end();
    return true;
  }

  /** Answers whatever became of the events. False when the client is gone. */
  refuse(problem: Problem): boolean {
    this.#answered = true;
    if (this.gone) return false;
    sendProblem(this.#response, problem);
    return true;
  }

  /** The client has closed the connection. */
  get gone(): boolean {
    return this.#request.socket.destroyed;
  }

  #rejection(): Problem {
    if (this.#rejected === this.#events) return { status: 422, code: 'E_HTTP_REJECTED', detail: this.#reason };
    const detail = `${this.#rejected} of ${this.#events} events were refused, the others taken: ${this.#reason}`;
    return { status: 500, code: 'E_HTTP_BATCH_PARTIAL', detail };
  }
}
