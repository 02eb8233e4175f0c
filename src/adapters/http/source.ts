import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { contentMode } from '../../cloudevents/media-type.ts';
import { compileWrap } from '../../cloudevents/wrap.ts';
import { HealthRecord } from '../../core/connection.ts';
import type { DeliveryMeta, EventDelivery, Outcome } from '../../core/delivery.ts';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { CheckItem, Health, Intake, Source } from '../../core/source.ts';
import type { AdapterContext } from '../spec.ts';
import { type BodyEnd, type ReadingBytes, readBody } from './body.ts';
import { type DecodeOptions, decode, nativeHeaders } from './codec.ts';
import type { HttpSourceConfig } from './config.ts';
import { answerHandshake } from './handshake.ts';
import type { HttpListener, Receiver } from './listener.ts';
import { PendingRequest } from './pending.ts';
import { later, type Problem, sendProblem } from './problem.ts';
import { refusal, tooLarge } from './refusal.ts';

/** What has been refused or come to nothing since the start, by reason. */
interface Counts {
  refused: number;
  busy: number;
  expired: number;
  late: number;
  gone: number;
}

/** Events POSTed to one path. A request is answered when its events are settled; the client owns the retry. */
export class HttpSource implements Source, Receiver {
  readonly path: string;
  readonly #listener: HttpListener;
  readonly #config: HttpSourceConfig;
  readonly #context: AdapterContext;
  readonly #decode: DecodeOptions;
  readonly #health = new HealthRecord();
  readonly #counts: Counts = { refused: 0, busy: 0, expired: 0, late: 0, gone: 0 };
  /** In the order of their deadlines, as every request has the same time. */
  readonly #pending = new Set<PendingRequest>();
  #deliveries: EventDelivery[] = [];
  #owners: PendingRequest[] = [];
  #unsettled = 0;
  #requests = 0;
  #intake: Intake | undefined;
  #paused = false;
  #cancelSweep: (() => void) | undefined;

  constructor(listener: HttpListener, config: HttpSourceConfig, context: AdapterContext) {
    this.path = config.path;
    this.#listener = listener;
    this.#config = config;
    this.#context = context;
    const { as, maxEventBytes, maxBatch } = config;
    this.#decode = { wrap: as === undefined ? undefined : compileWrap(as, as), maxEventBytes, maxBatch };
  }

  async open(intake: Intake, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#intake = intake;
    await this.#listener.add(this);
    this.#health.up();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  async lag(): Promise<undefined> {
    return undefined;
  }

  check(): Promise<CheckItem[]> {
    return this.#listener.check();
  }

  health(): Health {
    const url = this.#listener.address()?.url;
    const { unauthorized } = this.#listener;
    return this.#health.read({
      ...(url === undefined ? {} : { url: url + this.path }),
      unsettled: this.#unsettled,
      waiting: this.#pending.size,
      ...this.#counts,
      unauthorized,
    });
  }

  /** A response is written as its last event is settled, so there is nothing to flush. */
  async drained(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#health.status === 'closed') return;
    this.#health.closed();
    this.#intake = undefined;
    this.#cancelSweep?.();
    for (const request of this.#pending) this.#tell(request, this.#closing());
    this.#pending.clear();
    await this.#listener.remove(this);
  }

  /** A request for this path whose sender is known. Answers it at once or reads its body. */
  receive(request: IncomingMessage, response: ServerResponse, reading: ReadingBytes): void {
    const { method, headers } = request;
    const webhook = this.#config.webhook;
    if (method === 'OPTIONS' && webhook !== undefined) {
      answerHandshake(headers['webhook-request-origin'], webhook, response);
      return;
    }
    if (method !== 'POST') {
      const allow = webhook === undefined ? 'POST' : 'POST, OPTIONS';
      const detail = `events are taken by POST, not ${method}`;
      this.#refuse(response, { status: 405, code: 'E_HTTP_METHOD', detail, headers: ['allow', allow] });
      return;
    }
    const busy = this.#busy();
    if (busy !== undefined) {
      this.#refuse(response, busy);
      return;
    }
    const coding = headers['content-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'identity') {
      const detail = 'compressed bodies are not taken: send without Content-Encoding';
      this.#refuse(response, {
        status: 415,
        code: 'E_HTTP_ENCODING',
        detail,
        headers: ['accept-encoding', 'identity'],
      });
      return;
    }
    const batch = contentMode(headers['content-type']) === 'batch';
    const maxBytes = batch ? this.#config.maxBodyBytes : this.#config.maxEventBytes;
    const declared = Number(headers['content-length'] ?? 0);
    if (declared > maxBytes) {
      this.#refuse(response, tooLarge(batch, maxBytes, declared));
      return;
    }
    readBody(request, maxBytes, reading, (end) => this.#received(request, response, end, batch ? maxBytes : -1));
  }

  #received(request: IncomingMessage, response: ServerResponse, end: BodyEnd, batchBytes: number): void {
    if (end === 'gone') {
      this.#counts.gone += 1;
      return;
    }
    if (end === 'too-large') {
      const batch = batchBytes >= 0;
      this.#refuse(response, tooLarge(batch, batch ? batchBytes : this.#config.maxEventBytes, undefined));
      return;
    }
    // It was admitted before its body came; what holds the source back may have begun meanwhile.
    const busy = end === 'busy' ? this.#later('too many bytes are under way', true) : this.#busy();
    if (busy !== undefined) {
      this.#refuse(response, busy);
      return;
    }
    let events: MeshEvent[];
    try {
      const { method = 'POST', rawHeaders } = request;
      const received = { path: this.path, method, rawHeaders, body: end as Buffer };
      events = decode(received, this.#decode, randomUUID);
    } catch (error) {
      if (!(error instanceof FairleadError)) this.#context.log.error({ error: messageOf(error) }, 'decoding failed');
      this.#refuse(response, refusal(error));
      return;
    }
    this.#take(events, request, response);
  }

  /** Gathers what one turn of the event loop brought into one batch. */
  #take(events: readonly MeshEvent[], request: IncomingMessage, response: ServerResponse): void {
    const { clock } = this.#context;
    const owner = new PendingRequest(request, response, events.length, clock.now() + this.#config.timeout);
    if (events.length === 0) {
      if (!owner.answer(0, false)) this.#counts.gone += 1;
      return;
    }
    if (this.#deliveries.length === 0) setImmediate(() => this.#hand());
    this.#requests += 1;
    this.#unsettled += events.length;
    const headers = nativeHeaders(request.rawHeaders);
    for (let i = 0; i < events.length; i += 1) {
      const event = events[i] as MeshEvent;
      const key = event.extensions['partitionkey'];
      const position: DeliveryMeta['position'] =
        events.length === 1
          ? { path: this.path, request: this.#requests }
          : { path: this.path, request: this.#requests, index: i };
      const orderingKey = key === undefined ? undefined : String(key);
      this.#deliveries.push({ event, attempt: 1, orderingKey, meta: { position, headers } });
      this.#owners.push(owner);
    }
    this.#pending.add(owner);
    this.#cancelSweep ??= clock.after(this.#config.timeout, () => this.#sweep());
  }

  #hand(): void {
    const deliveries = this.#deliveries;
    const owners = this.#owners;
    this.#deliveries = [];
    this.#owners = [];
    if (this.#intake === undefined) return; // closed meanwhile: the requests were answered then
    this.#intake.batch({
      deliveries,
      settle: (index, outcome) => this.#settle(owners[index] as PendingRequest, outcome),
    });
  }

  #settle(owner: PendingRequest, outcome: Outcome): void {
    this.#unsettled -= 1;
    if (owner.answered) this.#counts.late += 1;
    if (!owner.settled(outcome) || owner.answered) return;
    this.#pending.delete(owner);
    if (!owner.answer(this.#config.retryAfter, this.#intake === undefined)) this.#counts.gone += 1;
  }

  /** Answers the requests whose time is over; their events stay with the pipeline. */
  #sweep(): void {
    this.#cancelSweep = undefined;
    const { clock } = this.#context;
    const now = clock.now();
    for (const request of this.#pending) {
      if (request.deadline > now) {
        this.#cancelSweep = clock.after(request.deadline - now, () => this.#sweep());
        return;
      }
      this.#pending.delete(request);
      this.#counts.expired += 1;
      const detail = `not every target has confirmed within ${this.#config.timeout} ms`;
      this.#tell(request, later('E_HTTP_DEADLINE', detail, this.#config.retryAfter));
    }
  }

  #tell(request: PendingRequest, problem: Problem): void {
    if (!request.refuse(problem)) this.#counts.gone += 1;
  }

  /** Why no event can be taken just now. */
  #busy(): Problem | undefined {
    if (this.#intake === undefined) return this.#closing();
    if (this.#paused) return this.#later('the gateway is holding this source back');
    if (this.#unsettled < this.#config.maxInFlight) return undefined;
    return this.#later(`${this.#unsettled} events wait to be settled`);
  }

  #later(detail: string, close = false): Problem {
    return later('E_HTTP_BUSY', detail, this.#config.retryAfter, close);
  }

  #closing(): Problem {
    return later('E_HTTP_CLOSING', 'the gateway is stopping', this.#config.retryAfter, true);
  }

  #refuse(response: ServerResponse, problem: Problem): void {
    if (problem.status === 503) this.#counts.busy += 1;
    else this.#counts.refused += 1;
    sendProblem(response, problem);
  }
}
