import type { BalanceRequest, Outcome } from '../balancer.ts';
import { Backlog } from './backlog.ts';
import type { EdgeContext } from './context.ts';
import { type AnswerEdits, forwardInterim, forwardResponse, forwardSwitch } from './forward.ts';
import { type BodyReader, bodyReader, type Framing, requestFraming, responseFraming } from './http1/body.ts';
import { isFault } from './http1/facts.ts';
import { INCOMPLETE } from './http1/fields.ts';
import type { RequestHead } from './http1/request-head.ts';
import { type ResponseHead, readResponse, scanResponse } from './http1/response-head.ts';
import { observe } from './outliers.ts';
import type { RouteTally } from './route-tally.ts';
import type { Connection, Upstream } from './upstream.ts';
import type { UpstreamUser } from './upstream-connection.ts';
import { type BoundPool, pick } from './upstreams.ts';
import type { Wire } from './wire.ts';

/** What an exchange needs of the connection its request came on. */
export interface ExchangeClient {
  readonly wire: Wire;
  /** The endpoint takes the request's content now. */
  wantBody(): void;
  /** The whole answer was written. `keepAlive`: another request may follow. */
  finished(keepAlive: boolean): void;
  /** No answer was begun: the edge answers itself. */
  failed(status: number, text: string): void;
  /** An answer was begun and cannot be completed. */
  broken(): void;
  /** The endpoint agreed to an upgrade; `rest`: bytes that followed its answer. */
  switched(connection: Connection): void;
  /** Puts off the deadline of whoever must move next. */
  touched(): void;
}

export type ExchangeRequest = {
  readonly method: string;
  readonly minor: 0 | 1;
  /** The head as the endpoint gets it. */
  readonly forwarded: string;
  readonly upgrade: boolean;
  /** The client wants its connection kept. */
  readonly keepAlive: boolean;
  readonly tally: RouteTally;
  readonly poolKey: string;
  readonly balance: BalanceRequest;
  /** What the route changes about the answer. */
  readonly edits: AnswerEdits | undefined;
};

/** Content up to this size is written together with its head. */
const joinedBytes = 8_192;
const maxRefusals = 4;
/** Never sent twice unless the endpoint certainly did not act on it (RFC 9110 §9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** One request and its answer: finds an endpoint, hands bytes on both ways, and tries another while nothing is lost. */
export class Exchange implements UpstreamUser {
  readonly #context: EdgeContext;
  readonly #client: ExchangeClient;
  readonly #request: ExchangeRequest;
  readonly #requestBody: BodyReader;
  /** Content that came with the head; kept so that it can be sent again. */
  #firstBody: Buffer | undefined;
  #sentMore = false;
  #sending = false;
  #pool: BoundPool | undefined;
  #connection: Connection | undefined;
  #tried: Set<Upstream> | undefined;
  #refusals = 0;
  #losses = 0;
  /** Any byte of an answer has come: from now on the request cannot go elsewhere. */
  #answered = false;
  #response: ResponseHead | undefined;
  #responseFraming: Framing = 'none';
  #responseBody: BodyReader | undefined;
  #responseBacklog: Backlog | undefined;

  constructor(context: EdgeContext, client: ExchangeClient, request: ExchangeRequest, head: RequestHead) {
    this.#context = context;
    this.#client = client;
    this.#request = request;
    this.#requestBody = bodyReader({
      framing: requestFraming(head),
      contentLength: head.contentLength,
      as: 'coded',
      fields: context.scratch.trailers,
    });
  }

  /** Reads what came of the content, then looks for an endpoint. Gives the offset after what it took. */
  begin(buffer: Buffer, at: number, end: number): number {
    const { slices } = this.#context.scratch;
    slices.clear();
    const next = this.#requestBody.read(buffer, at, end, slices);
    if (slices.size > 0) this.#firstBody = slices.copy(buffer);
    if (this.#requestBody.bad) this.#client.failed(400, 'The content of the request is malformed.');
    else this.#attempt(false);
    return next;
  }

  /** The request's content was read to its end, so the next byte begins another request. */
  get bodyRead(): boolean {
    return this.#requestBody.done;
  }

  get wantsBody(): boolean {
    return this.#sending && !this.#requestBody.done;
  }

  /** More of the request's content; only while `wantsBody`. Gives the offset after what belongs to it. */
  requestBytes(buffer: Buffer, at: number, end: number): number {
    const { slices } = this.#context.scratch;
    const connection = this.#connection!;
    slices.clear();
    const next = this.#requestBody.read(buffer, at, end, slices);
    if (this.#requestBody.bad) {
      this.#fail(400, 'The content of the request is malformed.');
      return next;
    }
    this.#sentMore = true;
    if (slices.size > 0) connection.wire.writeBytes(slices.copy(buffer));
    if (this.#requestBody.done) this.#awaitAnswer(connection);
    else if (connection.wire.congested) this.#client.wire.pause();
    return next;
  }

  clientDrained(): void {
    this.#connection?.wire.resume();
    this.#touchAnswer();
  }

  /** The client is gone: nobody is left to answer. */
  clientClosed(): void {
    this.#release('answered', false);
  }

  connected(): void {
    this.#send(this.#connection!);
  }

  drained(): void {
    this.#client.wire.resume();
  }

  bytes(buffer: Buffer, length: number): void {
    this.#answered = true;
    if (this.#response !== undefined) {
      this.#answerBytes(buffer, 0, length);
      return;
    }
    if (this.#responseBacklog === undefined) {
      this.#headBytes(buffer, 0, length);
      return;
    }
    const backlog = this.#responseBacklog;
    backlog.append(buffer, 0, length);
    this.#responseBacklog = undefined;
    this.#headBytes(backlog.bytes, backlog.start, backlog.end);
  }

  ended(): void {
    if (this.#responseFraming !== 'close') {
      this.closed();
      return;
    }
    this.#release('answered', false);
    this.#client.finished(false);
  }

  closed(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (!connection.ready) {
      this.#refused(connection);
      return;
    }
    if (!this.#answered && this.#mayRepeat(connection)) {
      this.#repeat(connection);
      return;
    }
    this.#fail(502, 'The service closed the connection before it answered.');
  }

  overdue(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (!connection.ready) {
      this.#refused(connection);
      return;
    }
    this.#fail(504, 'The service did not answer in time.');
  }

  #attempt(fresh: boolean): void {
    const { upstreams, clock, settings } = this.#context;
    const pool = upstreams.pool(this.#request.poolKey);
    if (this.#pool === undefined) pool?.retries.earn();
    this.#pool = pool;
    const sticky = this.#request.edits?.sticky?.sent;
    const options = { tried: this.#tried, now: clock.now(), sticky, slowStartMs: settings.slowStartMs };
    const upstream = this.#pool && pick(this.#pool, this.#request.balance, options);
    if (upstream === undefined) {
      this.#noEndpoint();
      return;
    }
    upstreams.enter(upstream);
    const connection = upstream.open(fresh);
    connection.user = this;
    this.#connection = connection;
    if (connection.ready) this.#send(connection);
  }

  #noEndpoint(): void {
    if (this.#tried === undefined)
      this.#client.failed(503, 'The service has no endpoint that takes requests.');
    else this.#client.failed(502, 'No endpoint of the service could be reached.');
  }

  #send(connection: Connection): void {
    const { forwarded } = this.#request;
    const body = this.#firstBody;
    if (body === undefined) connection.wire.write(forwarded);
    else if (body.length <= joinedBytes) connection.wire.write(forwarded + body.toString('latin1'));
    else connection.wire.writeBoth(forwarded, body);
    this.#sending = true;
    if (this.#requestBody.done) this.#awaitAnswer(connection);
    else this.#client.wantBody();
  }

  #awaitAnswer(connection: Connection): void {
    if (this.#response === undefined)
      connection.deadlineAt = this.#context.clock.now() + this.#context.settings.firstByteMs;
  }

  #headBytes(buffer: Buffer, start: number, end: number): void {
    const { response: scan } = this.#context.scratch;
    for (let at = start; at < end; ) {
      const window = Math.min(end, at + this.#context.settings.maxHeadBytes);
      const next = scanResponse(buffer, at, window, scan);
      if (next === INCOMPLETE && window === end) {
        this.#responseBacklog = new Backlog();
        this.#responseBacklog.append(buffer, at, end);
        return;
      }
      const head = next < 0 ? scan.fields.fault : readResponse(buffer.toString('latin1', at, next), scan);
      if (isFault(head)) {
        this.#fail(502, 'The service sent an answer that cannot be understood.');
        return;
      }
      if (head.status === 101) {
        this.#switch(head, buffer, next, end);
        return;
      }
      if (head.status >= 200) {
        this.#beginAnswer(head, buffer, next, end);
        return;
      }
      if (this.#request.minor === 1) this.#client.wire.write(forwardInterim(head));
      at = next;
    }
  }

  #beginAnswer(head: ResponseHead, buffer: Buffer, at: number, end: number): void {
    const { minor, method, tally, edits } = this.#request;
    const framing = responseFraming(head, method);
    const reader = bodyReader({
      framing,
      contentLength: head.contentLength,
      as: minor === 0 ? 'payload' : 'coded',
      fields: this.#context.scratch.trailers,
    });
    this.#response = head;
    this.#responseFraming = framing;
    this.#responseBody = reader;
    tally.answered(head.status);
    this.#observe(head.status >= 500);
    const keepAlive = this.#keepsClient();
    const endpoint = edits?.sticky === undefined ? '' : this.#connection!.upstream.cookie;
    const text = forwardResponse(head, { framing, clientMinor: minor, keepAlive, edits, endpoint });
    this.#answerBytes(buffer, at, end, text);
  }

  /** The client's connection can be kept only if both it and we know where this answer and its request end. */
  #keepsClient(): boolean {
    const unframed = this.#request.minor === 0 && this.#responseFraming === 'chunked';
    return this.#request.keepAlive && this.bodyRead && this.#responseFraming !== 'close' && !unframed;
  }

  #answerBytes(buffer: Buffer, at: number, end: number, head = ''): void {
    const { slices } = this.#context.scratch;
    const body = this.#responseBody!;
    const { wire } = this.#client;
    slices.clear();
    const next = body.read(buffer, at, end, slices);
    if (slices.size <= joinedBytes) wire.write(head + slices.text(buffer));
    else wire.writeBoth(head, slices.copy(buffer));
    if (body.bad) {
      this.#fail(502, '');
      return;
    }
    if (body.done) {
      this.#complete(next < end);
      return;
    }
    if (wire.congested) this.#connection?.wire.pause();
    this.#touchAnswer();
  }

  #touchAnswer(): void {
    if (this.#connection === undefined || this.#response === undefined) return;
    const stalled = this.#client.wire.congested;
    const { clock, settings } = this.#context;
    this.#connection.deadlineAt = stalled ? Number.POSITIVE_INFINITY : clock.now() + settings.answerMs;
    this.#client.touched();
  }

  #complete(extraBytes: boolean): void {
    const head = this.#response!;
    const keepAlive = this.#keepsClient();
    const persistent = head.minor === 1 ? !head.close : head.keepAlive;
    this.#release('answered', persistent && this.bodyRead && !extraBytes);
    this.#client.finished(keepAlive);
  }

  #switch(head: ResponseHead, buffer: Buffer, at: number, end: number): void {
    const connection = this.#connection!;
    if (!this.#request.upgrade) {
      this.#fail(502, 'The service switched protocols without being asked.');
      return;
    }
    this.#request.tally.answered(101);
    this.#connection = undefined;
    this.#client.wire.write(forwardSwitch(head) + buffer.toString('latin1', at, end));
    this.#client.switched(connection);
  }

  #refused(connection: Connection): void {
    this.#context.counters.connectFailures++;
    connection.upstream.refused();
    this.#abandon(connection, 'refused');
    if (++this.#refusals > maxRefusals) {
      this.#noEndpoint();
      return;
    }
    this.#context.counters.retries++;
    this.#attempt(false);
  }

  /** A kept connection may have been closed just when we wrote; a new one that is lost is given a second chance once. */
  #mayRepeat(connection: Connection): boolean {
    const replayable = idempotent.has(this.#request.method) && !this.#sentMore;
    if (!replayable || connection.reused) return replayable;
    return this.#losses === 0 && this.#pool?.retries.spend() === true;
  }

  #repeat(connection: Connection): void {
    this.#context.counters.retries++;
    if (connection.reused) {
      this.#release('failed', false);
    } else {
      this.#losses++;
      this.#abandon(connection, 'failed');
    }
    this.#sending = false;
    this.#attempt(true);
  }

  /** Gives up an endpoint for this request; another is chosen while there is one. */
  #abandon(connection: Connection, outcome: Outcome): void {
    this.#tried ??= new Set();
    this.#tried.add(connection.upstream);
    this.#release(outcome, false);
  }

  #fail(status: number, text: string): void {
    this.#observe(status >= 500);
    this.#release('failed', false);
    if (this.#response === undefined) this.#client.failed(status, text);
    else this.#client.broken();
  }

  /** A fault is whatever a client gets to see as 5xx through this endpoint. */
  #observe(fault: boolean): void {
    const upstream = this.#connection?.upstream;
    if (this.#pool === undefined || upstream === undefined) return;
    if (fault || upstream.faultStreak > 0)
      observe(this.#pool, upstream, { fault, now: this.#context.clock.now() });
  }

  #release(outcome: Outcome, reusable: boolean): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#sending = false;
    this.#pool?.balancer.settled(connection.upstream, outcome);
    this.#context.upstreams.leave(connection.upstream);
    connection.release({ reusable, idleMs: this.#idleMs() });
  }

  /** A second less than the server promises, so that we are the one who closes. */
  #idleMs(): number {
    const { upstreamIdleMs } = this.#context.settings;
    const promised = this.#response?.keepAliveSeconds;
    return promised === undefined ? upstreamIdleMs : Math.min(upstreamIdleMs, (promised - 1) * 1_000);
  }
}
