import type { RouteOptions } from '../../../core/model/route.ts';
import type { BalanceRequest, Outcome } from '../../balancer.ts';
import type { Lease } from '../access/limiter.ts';
import type { EdgeContext } from '../context.ts';
import type { Framing } from '../http1/body.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Slices } from '../http1/slices.ts';
import type { ProxyEnds } from '../proxy/proxy-header.ts';
import { Journey } from '../telemetry/journey.ts';
import type { RouteTally } from '../telemetry/route-tally.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { UpstreamUser } from '../upstream/upstream-connection.ts';
import { Patience } from '../wire/patience.ts';
import type { ContentCoding } from './accept-encoding.ts';
import { AnswerReader, type AnswerUser } from './answer-reader.ts';
import { Attempts } from './attempts.ts';
import { CodingClient } from './coding-client.ts';
import type { ExchangeClient } from './exchange-client.ts';
import type { AnswerEdits } from './forward.ts';
import { isAgreed } from './upgrade.ts';

export type ExchangeRequest = {
  readonly method: string;
  /** The head as the endpoint gets it. */
  readonly forwarded: string;
  /** The protocols it may be upgraded to. */
  readonly upgrade: string | undefined;
  readonly contentAs: 'coded' | 'payload';
  readonly tally: RouteTally;
  readonly poolKey: string;
  readonly balance: BalanceRequest;
  /** What the route changes about the answer. */
  readonly edits: AnswerEdits | undefined;
  /** Of the route; those about traffic count here. */
  readonly options: RouteOptions;
  /** Where the client's connection comes from and went to. */
  readonly ends: (() => ProxyEnds) | undefined;
  /** Ended with the exchange; goes to the tunnel when there is one. */
  readonly lease: Lease | undefined;
  /** The coding the client likes best, where the route compresses. */
  readonly encoding: ContentCoding | undefined;
};

/** Content up to this size is written together with its head. */
const joinedBytes = 8_192;
/** Never sent twice unless the endpoint certainly did not act on it (RFC 9110 §9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** One request and its answer: finds an endpoint, hands bytes on both ways, and tries another while nothing is lost. */
export class Exchange implements UpstreamUser, AnswerUser {
  readonly journey: Journey;
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
  /** Undefined: the answer's content stays as it is. */
  readonly #coding: CodingClient | undefined;
  readonly #patience: Patience;
  /** Any byte of an answer has come: from now on the request cannot go elsewhere. */
  #answered = false;

  constructor(context: EdgeContext, client: ExchangeClient, request: ExchangeRequest) {
    this.#context = context;
    this.journey = new Journey(context.clock);
    this.#request = request;
    this.#coding = codingFor(this, client, request);
    this.#client = this.#coding ?? client;
    this.#attempts = new Attempts(context, request);
    this.#answer = new AnswerReader(context, request.method, this);
    this.#patience = new Patience(context, request.options.timeouts);
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
    if (this.#connection !== undefined) {
      this.#attempts.observe(this.#connection, status >= 500);
      if (status >= 500) this.#connection.upstream.failed(text);
    }
    this.#took();
    this.#release('failed', false);
    this.#request.lease?.end();
    if (this.#answer.head === undefined) this.#client.failed(status, text);
    else this.#client.broken();
  }

  clientDrained(): void {
    this.#coding?.drained();
    this.resumeEndpoint();
    this.#touchAnswer();
  }

  /** What the endpoint sends can be taken. */
  resumeEndpoint(): void {
    if (!this.#client.congested) this.#connection?.wire.resume();
  }

  /** The client is gone: nobody is left to answer. */
  clientClosed(): void {
    this.#release('answered', false);
    this.#coding?.destroy();
    this.#request.lease?.end();
  }

  connected(): void {
    this.journey.connected();
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
    this.#took();
    this.#release('answered', false);
    this.#end();
  }

  closed(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (!connection.ready) this.#refused(connection);
    else if (this.#isRepeatable() && this.#attempts.mayRepeat(connection))
      this.#repeat(connection, { lost: true });
    else this.fail(502, 'The service closed the connection before it answered.');
  }

  overdue(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#patience.isOver) this.fail(504, 'The service took too long.');
    else if (!connection.ready) this.#refused(connection);
    else this.fail(504, 'The service did not answer in time.');
  }

  interim(head: ResponseHead): void {
    this.#client.interim(head);
  }

  switching(head: ResponseHead, rest: string): void {
    const { upgrade } = this.#request;
    if (upgrade === undefined || !isAgreed(upgrade, head)) {
      this.fail(502, 'The service switched protocols without being asked.');
      return;
    }
    const connection = this.#connection!;
    this.#connection = undefined;
    this.journey.answered();
    connection.upstream.tally.answered(101);
    this.#request.tally.answered(101);
    this.#client.switched(connection, head, rest);
  }

  declines(head: ResponseHead): boolean {
    const connection = this.#connection!;
    if (this.#request.options.retries?.statuses === undefined || !this.#isKept()) return false;
    if (!this.#attempts.mayRepeatAfter(head.status, connection)) return false;
    this.#observe(connection, head.status);
    this.#answered = false;
    this.#repeat(connection, { lost: false });
    return true;
  }

  contentAs(head: ResponseHead, framing: Framing): 'coded' | 'payload' {
    return this.#coding?.codes(head, framing) === true ? 'payload' : this.#request.contentAs;
  }

  begun(head: ResponseHead, buffer: Buffer, content: Slices): void {
    const { tally, edits } = this.#request;
    const connection = this.#connection!;
    tally.answered(head.status);
    if (this.#context.accessLog !== undefined) this.journey.answered();
    this.#observe(connection, head.status);
    const endpoint = edits?.sticky === undefined ? '' : connection.upstream.cookie;
    const { framing } = this.#answer;
    this.#client.answer({ head, framing, endpoint, encoding: undefined }, buffer, content);
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
    this.#took();
    // An endpoint that sends content even to HEAD would begin the next answer with it.
    const isClean = this.#complete && !extra && this.#request.method !== 'HEAD';
    this.#release('answered', persistent && isClean);
    this.#end();
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
    this.journey.tries(connection.upstream.endpoint, connection);
    if (connection.ready) this.#send(connection);
    else connection.deadlineAt = this.#patience.forConnect();
  }

  #observe(connection: Connection, status: number): void {
    const { upstream } = connection;
    upstream.tally.answered(status);
    if (status >= 500) upstream.failed(`it answered ${status}`);
    this.#attempts.observe(connection, status >= 500);
  }

  /** To be called before the connection is released. */
  #took(): void {
    const ms = this.journey.totalMs;
    this.#request.tally.took(ms);
    this.#connection?.upstream.tally.took(ms);
  }

  #end(): void {
    this.#request.lease?.end();
    this.#client.finished(this.#answer.trailers);
  }

  #noEndpoint(): void {
    this.#request.lease?.end();
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
    connection.deadlineAt = this.#patience.lastAt;
    if (this.#complete) this.#awaitAnswer(connection);
    else this.#client.wantContent();
  }

  #awaitAnswer(connection: Connection): void {
    if (this.#answer.head === undefined) connection.deadlineAt = this.#patience.forFirstByte();
  }

  #touchAnswer(): void {
    if (this.#connection === undefined || this.#answer.head === undefined) return;
    this.#connection.deadlineAt = this.#patience.forMore(this.#client.congested);
    this.#client.touched();
  }

  #refused(connection: Connection): void {
    this.#attempts.refused(connection);
    this.#release('refused', false);
    this.#attempt(false);
  }

  #isRepeatable(): boolean {
    return !this.#answered && this.#isKept();
  }

  /** All that was sent is still here, and may be sent twice. */
  #isKept(): boolean {
    return !this.#sentMore && idempotent.has(this.#request.method);
  }

  #repeat(connection: Connection, how: { readonly lost: boolean }): void {
    this.#attempts.repeats(connection, how);
    this.#release('failed', false);
    this.#attempt(true);
  }

  #release(outcome: Outcome, reusable: boolean): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#sending = false;
    this.#attempts.settle(connection, outcome);
    connection.release({ reusable: reusable && !this.#attempts.areOwn, idleMs: this.#idleMs() });
  }

  /** A second less than the server promises, so that we are the one who closes. */
  #idleMs(): number {
    const { upstreamIdleMs } = this.#context.settings;
    const promised = this.#answer.head?.keepAliveSeconds;
    return promised === undefined ? upstreamIdleMs : Math.min(upstreamIdleMs, (promised - 1) * 1_000);
  }
}

function codingFor(
  exchange: Exchange,
  client: ExchangeClient,
  request: ExchangeRequest,
): CodingClient | undefined {
  const { encoding, options } = request;
  if (encoding === undefined) return undefined;
  return new CodingClient(client, {
    encoding,
    compress: options.compress ?? {},
    resumed: () => exchange.resumeEndpoint(),
    failed: () => exchange.fail(502, 'The answer could not be compressed.'),
  });
}
