import type { BalanceRequest, Outcome } from '../balancer.ts';
import { AnswerReader, type AnswerUser } from './answer-reader.ts';
import { Attempts } from './attempts.ts';
import type { EdgeContext } from './context.ts';
import type { AnswerEdits } from './forward.ts';
import type { Framing } from './http1/body.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { Slices } from './http1/slices.ts';
import type { RouteTally } from './route-tally.ts';
import type { Connection } from './upstream.ts';
import type { UpstreamUser } from './upstream-connection.ts';

/** What an exchange needs of whoever brought its request: a connection of HTTP/1, or a stream. */
export interface ExchangeClient {
  /** More waits to be sent to the client than is good; `drained` of the exchange follows. */
  readonly congested: boolean;
  /** The endpoint takes the request's content now. */
  wantContent(): void;
  /** The endpoint is slow: no more content for now, until `resume`. */
  pause(): void;
  resume(): void;
  interim(head: ResponseHead): void;
  /** The answer begins, with what came of its content. */
  answer(answer: Answer, buffer: Buffer, content: Slices): void;
  content(buffer: Buffer, content: Slices): void;
  /** The whole answer was given. */
  finished(): void;
  /** No answer was begun: the edge answers itself. */
  failed(status: number, text: string): void;
  /** An answer was begun and cannot be completed. */
  broken(): void;
  /** The endpoint agreed to an upgrade; `rest`: what followed its answer. */
  switched(connection: Connection, head: ResponseHead, rest: string): void;
  /** Puts off the deadline of whoever must move next. */
  touched(): void;
}

export type Answer = {
  readonly head: ResponseHead;
  readonly framing: Framing;
  /** The endpoint's name in cookies; empty when clients do not stay. */
  readonly endpoint: string;
};

export type ExchangeRequest = {
  readonly method: string;
  /** The head as the endpoint gets it. */
  readonly forwarded: string;
  readonly upgrade: boolean;
  readonly contentAs: 'coded' | 'payload';
  readonly tally: RouteTally;
  readonly poolKey: string;
  readonly balance: BalanceRequest;
  /** What the route changes about the answer. */
  readonly edits: AnswerEdits | undefined;
};

/** Content up to this size is written together with its head. */
const joinedBytes = 8_192;
/** Never sent twice unless the endpoint certainly did not act on it (RFC 9110 §9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** One request and its answer: finds an endpoint, hands bytes on both ways, and tries another while nothing is lost. */
export class Exchange implements UpstreamUser, AnswerUser {
  readonly #context: EdgeContext;
  readonly #client: ExchangeClient;
  readonly #request: ExchangeRequest;
  readonly #attempts: Attempts;
  readonly #answer: AnswerReader;
  /** Content that came with the head; kept so that it can be sent again. */
  #firstContent: Buffer | undefined;
  /** The request's content has come to its end. */
  #complete = false;
  #sentMore = false;
  #sending = false;
  #connection: Connection | undefined;
  /** Any byte of an answer has come: from now on the request cannot go elsewhere. */
  #answered = false;

  constructor(context: EdgeContext, client: ExchangeClient, request: ExchangeRequest) {
    this.#context = context;
    this.#client = client;
    this.#request = request;
    const { poolKey, balance, edits } = request;
    this.#attempts = new Attempts(context, { poolKey, balance, sticky: edits?.sticky?.sent });
    this.#answer = new AnswerReader(context, request, this);
  }

  /** Looks for an endpoint. `content`: what came with the head, as the endpoint gets it; `complete`: there is no more. */
  begin(content: Buffer | undefined, complete: boolean): void {
    this.#firstContent = content;
    this.#complete = complete;
    this.#attempt(false);
  }

  get wantsContent(): boolean {
    return this.#sending && !this.#complete;
  }

  /** More of the request's content, as the endpoint gets it; only while `wantsContent`. */
  requestContent(content: Buffer | undefined, complete: boolean): void {
    const connection = this.#connection!;
    this.#sentMore = true;
    this.#complete = complete;
    if (content !== undefined) connection.wire.writeBytes(content);
    if (complete) this.#awaitAnswer(connection);
    else if (connection.wire.congested) this.#client.pause();
  }

  /** The request cannot be completed; the client is told so. */
  fail(status: number, text: string): void {
    if (this.#connection !== undefined) this.#attempts.observe(this.#connection, status >= 500);
    this.#release('failed', false);
    if (this.#answer.head === undefined) this.#client.failed(status, text);
    else this.#client.broken();
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
    this.#client.resume();
  }

  bytes(buffer: Buffer, length: number): void {
    this.#answered = true;
    this.#answer.bytes(buffer, length);
  }

  ended(): void {
    if (this.#answer.framing !== 'close') {
      this.closed();
      return;
    }
    this.#release('answered', false);
    this.#client.finished();
  }

  closed(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (!connection.ready) this.#refused(connection);
    else if (this.#isRepeatable() && this.#attempts.mayRepeat(connection)) this.#repeat(connection);
    else this.fail(502, 'The service closed the connection before it answered.');
  }

  overdue(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (!connection.ready) this.#refused(connection);
    else this.fail(504, 'The service did not answer in time.');
  }

  interim(head: ResponseHead): void {
    this.#client.interim(head);
  }

  switching(head: ResponseHead, rest: string): void {
    if (!this.#request.upgrade) {
      this.fail(502, 'The service switched protocols without being asked.');
      return;
    }
    const connection = this.#connection!;
    this.#connection = undefined;
    this.#request.tally.answered(101);
    this.#client.switched(connection, head, rest);
  }

  begun(head: ResponseHead, buffer: Buffer, content: Slices): void {
    const { tally, edits } = this.#request;
    const { upstream } = this.#connection!;
    tally.answered(head.status);
    this.#attempts.observe(this.#connection!, head.status >= 500);
    const endpoint = edits?.sticky === undefined ? '' : upstream.cookie;
    this.#client.answer({ head, framing: this.#answer.framing, endpoint }, buffer, content);
  }

  content(buffer: Buffer, content: Slices): void {
    this.#client.content(buffer, content);
  }

  unfinished(): void {
    if (this.#client.congested) this.#connection?.wire.pause();
    this.#touchAnswer();
  }

  completed(extra: boolean): void {
    const head = this.#answer.head!;
    const persistent = head.minor === 1 ? !head.close : head.keepAlive;
    this.#release('answered', persistent && this.#complete && !extra);
    this.#client.finished();
  }

  unreadable(): void {
    this.fail(502, 'The service sent an answer that cannot be understood.');
  }

  #attempt(fresh: boolean): void {
    const connection = this.#attempts.next(fresh);
    if (connection === undefined) {
      this.#noEndpoint();
      return;
    }
    connection.user = this;
    this.#connection = connection;
    if (connection.ready) this.#send(connection);
  }

  #noEndpoint(): void {
    if (this.#attempts.begun) this.#client.failed(502, 'No endpoint of the service could be reached.');
    else this.#client.failed(503, 'The service has no endpoint that takes requests.');
  }

  #send(connection: Connection): void {
    const { forwarded } = this.#request;
    const content = this.#firstContent;
    if (content === undefined) connection.wire.write(forwarded);
    else if (content.length <= joinedBytes) connection.wire.write(forwarded + content.toString('latin1'));
    else connection.wire.writeBoth(forwarded, content);
    this.#sending = true;
    if (this.#complete) this.#awaitAnswer(connection);
    else this.#client.wantContent();
  }

  #awaitAnswer(connection: Connection): void {
    if (this.#answer.head === undefined)
      connection.deadlineAt = this.#context.clock.now() + this.#context.settings.firstByteMs;
  }

  #touchAnswer(): void {
    if (this.#connection === undefined || this.#answer.head === undefined) return;
    const { clock, settings } = this.#context;
    const stalled = this.#client.congested;
    this.#connection.deadlineAt = stalled ? Number.POSITIVE_INFINITY : clock.now() + settings.answerMs;
    this.#client.touched();
  }

  #refused(connection: Connection): void {
    this.#attempts.refused(connection);
    this.#release('refused', false);
    this.#attempt(false);
  }

  /** Nothing came back, and all that was sent is still here. */
  #isRepeatable(): boolean {
    return !this.#answered && !this.#sentMore && idempotent.has(this.#request.method);
  }

  #repeat(connection: Connection): void {
    this.#attempts.repeats(connection);
    this.#release('failed', false);
    this.#attempt(true);
  }

  #release(outcome: Outcome, reusable: boolean): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#sending = false;
    this.#attempts.settle(connection, outcome);
    connection.release({ reusable, idleMs: this.#idleMs() });
  }

  /** A second less than the server promises, so that we are the one who closes. */
  #idleMs(): number {
    const { upstreamIdleMs } = this.#context.settings;
    const promised = this.#answer.head?.keepAliveSeconds;
    return promised === undefined ? upstreamIdleMs : Math.min(upstreamIdleMs, (promised - 1) * 1_000);
  }
}
