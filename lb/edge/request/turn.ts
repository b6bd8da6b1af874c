import type { Lease } from '../access/limiter.ts';
import type { EdgeContext } from '../context.ts';
import { type BodyReader, bodyReader, requestFraming } from '../http1/body.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Slices } from '../http1/slices.ts';
import type { RouteTally } from '../telemetry/route-tally.ts';
import { TurnRecord } from '../telemetry/turn-record.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { Wire } from '../wire/wire.ts';
import { prefersJson } from './accept-json.ts';
import type { ClientFacts } from './client-facts.ts';
import type { Decision, Forward } from './decide.ts';
import { Exchange, type ExchangeRequest } from './exchange.ts';
import type { Answer, ExchangeClient } from './exchange-client.ts';
import { exchangeRequest } from './exchange-request.ts';
import { type AnswerEdits, fieldValue, forwardInterim, forwardResponse, forwardSwitch } from './forward.ts';
import { type Mirror, mirrored } from './mirror.ts';
import { renderPage } from './pages.ts';
import type { PolicyAnswer } from './policy-answer.ts';

/** The connection whose turn it is. */
export interface TurnHost {
  readonly wire: Wire;
  readonly facts: ClientFacts;
  /** It takes no further request. */
  readonly closing: boolean;
  /** How long whoever must move next may take; Infinity: no limit. */
  expect(withinMs: number): void;
  /** The request's content is wanted now. */
  moreInput(): void;
  /** The answer was given. `keepAlive`: another request may follow. */
  over(keepAlive: boolean): void;
  /** From now on the connection carries another protocol. */
  upgraded(connection: Connection, ended: (receivedBytes: number) => void): void;
}

const never = Number.POSITIVE_INFINITY;
const badContent = 'The content of the request is malformed.';

/** One request of an HTTP/1 connection and its answer. */
export class Turn implements ExchangeClient {
  readonly #context: EdgeContext;
  readonly #host: TurnHost;
  readonly #head: RequestHead;
  readonly #requestId: string;
  #tally: RouteTally;
  #edits: AnswerEdits | undefined;
  #body: BodyReader | undefined;
  #exchange: Exchange | undefined;
  #lease: Lease | undefined;
  #mirror: Mirror | undefined;
  #keepAlive = false;
  /** The answer's content is put into chunks here. */
  #chunks = false;
  /** For the access log. */
  #record: TurnRecord | undefined;

  constructor(context: EdgeContext, host: TurnHost, head: RequestHead) {
    this.#context = context;
    this.#host = host;
    this.#head = head;
    const told = host.facts.trusted ? fieldValue(head, 'x-request-id') : undefined;
    this.#requestId = told ?? context.requestId();
    this.#tally = context.counters.unrouted;
    const { accessLog: log, clock } = context;
    if (log !== undefined) this.#record = new TurnRecord({ log, host, head, now: clock.now() });
  }

  /** Does as was decided; the request's content begins at `at`. Gives the offset after what was used. */
  begin(decision: Exclude<Decision, { kind: 'wait' }>, buffer: Buffer, at: number, end: number): number {
    if (decision.kind === 'forward') return this.#forward(decision, buffer, at, end);
    this.#tally = decision.tally;
    if (this.#record !== undefined && decision.tally !== this.#context.counters.unrouted)
      this.#record.route = decision.tally.route;
    this.#answerItself(decision.answer);
    return at;
  }

  /** All of the request has come. */
  get read(): boolean {
    return this.#body?.done === true;
  }

  /** So many bytes of the client were this request's. */
  received(bytes: number): void {
    if (this.#record !== undefined) this.#record.bytesIn += bytes;
  }

  /** More of what the client sent. Gives the offset after what was used. */
  bytes(buffer: Buffer, at: number, end: number): number {
    const exchange = this.#exchange;
    if (exchange?.wantsContent !== true) return at;
    const { scratch, settings } = this.#context;
    const body = this.#body!;
    this.#host.expect(settings.bodyMs);
    scratch.slices.clear();
    const next = body.read(buffer, at, end, scratch.slices);
    this.received(next - at);
    if (body.bad) exchange.fail(400, badContent);
    else this.#moreContent(exchange, scratch.slices.taken(buffer), body.done);
    if (body.done) this.#host.expect(never);
    return next;
  }

  /** The client took too long with its content. */
  overdue(): void {
    this.#exchange?.clientClosed();
    this.failed(408, 'The request did not arrive in time.');
  }

  clientDrained(): void {
    this.#exchange?.clientDrained();
  }

  clientClosed(): void {
    this.#exchange?.clientClosed();
    this.#log('client-gone');
  }

  get congested(): boolean {
    return this.#host.wire.congested;
  }

  wantContent(): void {
    this.#host.expect(this.#context.settings.bodyMs);
    this.#host.moreInput();
  }

  pause(): void {
    this.#host.wire.pause();
  }

  resume(): void {
    this.#host.wire.resume();
  }

  interim(head: ResponseHead): void {
    if (this.#head.minor === 1) this.#host.wire.write(forwardInterim(head));
  }

  answer({ head, framing, endpoint, encoding }: Answer, buffer: Buffer, content: Slices): void {
    const { minor } = this.#head;
    if (this.#record !== undefined) this.#record.status = head.status;
    const recoded = encoding !== undefined;
    this.#chunks = recoded && minor === 1;
    // Both sides must know where this answer and its request end.
    const unframed = minor === 0 ? recoded || framing === 'chunked' : false;
    const framed = this.#chunks || (framing !== 'close' && !unframed);
    this.#keepAlive = this.read && framed && this.#keeps();
    const edits = this.#edits;
    const { date } = this.#context;
    const facts = {
      framing,
      clientMinor: minor,
      keepAlive: this.#keepAlive,
      edits,
      endpoint,
      encoding,
      date,
    };
    this.#host.wire.writeContent(forwardResponse(head, facts), buffer, content);
  }

  content(buffer: Buffer, content: Slices): void {
    if (!this.#chunks) {
      this.#host.wire.writeContent('', buffer, content);
      return;
    }
    content.tail = '\r\n';
    this.#host.wire.writeContent(`${(content.size - 2).toString(16)}\r\n`, buffer, content);
  }

  touched(): void {
    if (this.congested) this.#host.expect(this.#context.settings.bodyMs);
    else if (this.read) this.#host.expect(never);
  }

  finished(trailers: string): void {
    if (this.#chunks) this.#host.wire.write(`0\r\n${trailers}\r\n`);
    this.#log();
    this.#host.over(this.#keepAlive);
  }

  failed(status: number, text: string): void {
    this.#answerItself({ status, text });
  }

  broken(): void {
    this.#log('answer-broken');
    this.#host.wire.reset();
  }

  switched(connection: Connection, head: ResponseHead, rest: string): void {
    this.#host.wire.write(forwardSwitch(head) + rest);
    if (this.#record !== undefined) this.#record.status = 101;
    this.#host.upgraded(connection, (receivedBytes) => {
      this.#lease?.end();
      this.received(receivedBytes);
      this.#log();
    });
  }

  #forward(decision: Forward, buffer: Buffer, at: number, end: number): number {
    const { settings, scratch, upstreams, chance } = this.#context;
    const head = this.#head;
    const request = exchangeRequest(decision, [this.#host.facts, head], {
      requestId: this.#requestId,
      httpsPort: settings.httpsPort,
      contentAs: head.minor === 0 ? 'payload' : 'coded',
      upstreams,
      chance,
    });
    const framing = requestFraming(head);
    const { contentLength } = head;
    const body = bodyReader({ framing, contentLength, as: 'coded', fields: scratch.trailers });
    this.#tally = request.tally;
    this.#edits = request.edits;
    if (this.#record !== undefined) this.#record.route = decision.route.id;
    this.#lease = request.lease;
    this.#body = body;
    this.#host.expect(never);
    scratch.slices.clear();
    const next = body.read(buffer, at, end, scratch.slices);
    this.received(next - at);
    if (body.bad) {
      request.lease?.end();
      this.failed(400, badContent);
      return next;
    }
    this.#exchange = new Exchange(this.#context, this, request);
    this.#start(this.#exchange, request, scratch.slices.taken(buffer));
    return next;
  }

  #start(exchange: Exchange, request: ExchangeRequest, content: Buffer | undefined): void {
    const complete = this.read;
    if (request.options.mirror !== undefined)
      this.#mirror = mirrored(this.#context, request, { content, complete });
    exchange.begin(content, complete);
  }

  #moreContent(exchange: Exchange, content: Buffer | undefined, complete: boolean): void {
    this.#mirror?.content(content, complete);
    exchange.requestContent(content, complete);
  }

  /** After a request with content we would have to read on to find the next one; it is simpler and safer to close. */
  #answerItself({ status, text, fields, contentType, why = text }: PolicyAnswer): void {
    const { minor, method } = this.#head;
    const keepAlive = minor === 1 && requestFraming(this.#head) === 'none' && this.#keeps();
    this.#tally.answered(status);
    const page = {
      status,
      text,
      fields,
      contentType,
      requestId: this.#requestId,
      now: this.#context.clock.now(),
      headOnly: method === 'HEAD',
      json: prefersJson(fieldValue(this.#head, 'accept')),
    };
    this.#host.wire.write(renderPage({ ...page, close: !keepAlive }));
    if (this.#record !== undefined) this.#record.status = status;
    this.#log(why);
    this.#host.over(keepAlive);
  }

  #log(why?: string): void {
    this.#record?.end(this.#requestId, this.#exchange?.journey, why);
  }

  #keeps(): boolean {
    const { close, minor, keepAlive } = this.#head;
    return !this.#host.closing && !close && (minor === 1 || keepAlive);
  }
}
