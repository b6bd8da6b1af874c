import { randomBytes } from 'node:crypto';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { AuthVerdict } from '../access/access-question.ts';
import type { Lease } from '../access/limiter.ts';
import type { EdgeContext } from '../context.ts';
import type { Fault } from '../http1/fault.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Slices } from '../http1/slices.ts';
import { prefersJson } from '../request/accept-json.ts';
import type { ClientFacts } from '../request/client-facts.ts';
import { type Decision, decide, type Forward } from '../request/decide.ts';
import { Exchange } from '../request/exchange.ts';
import type { Answer, ExchangeClient } from '../request/exchange-client.ts';
import { exchangeRequest } from '../request/exchange-request.ts';
import { type AnswerEdits, answerFields, fieldValue } from '../request/forward.ts';
import { type Mirror, mirrored } from '../request/mirror.ts';
import type { PolicyAnswer } from '../request/policy-answer.ts';
import type { Tunnel } from '../request/tunnel.ts';
import type { RouteTally } from '../telemetry/route-tally.ts';
import type { TurnRecord } from '../telemetry/turn-record.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { Deadlined } from '../wire/deadlines.ts';
import { isGrpc } from './grpc.ts';
import { type RequestText, readHead, requestText } from './request-text.ts';
import { StreamAnswer } from './stream-answer.ts';
import { StreamContent } from './stream-content.ts';
import { streamRecord } from './stream-record.ts';
import { streamTunnel } from './stream-tunnel.ts';

/** The connection a stream belongs to. */
export interface StreamHost {
  readonly facts: ClientFacts;
  readonly socket: Socket;
  /** The stream is gone. `wasted`: the client gave it up, or it was no request. */
  over(turn: StreamTurn, wasted: boolean): void;
}

const never = Number.POSITIVE_INFINITY;
/** How long a client that was answered early may go on sending. */
const lingerMs = 2_000;
const cancel = 8;

/** One request of an HTTP/2 connection and its answer. */
export class StreamTurn implements ExchangeClient, Deadlined {
  deadlineAt = never;
  /** The route it took; undefined: none. */
  route: string | undefined;
  readonly #context: EdgeContext;
  readonly #host: StreamHost;
  readonly #stream: ServerHttp2Stream;
  readonly #answer: StreamAnswer;
  readonly #requestId: string;
  #tally: RouteTally;
  #text: RequestText | undefined;
  #head: RequestHead | undefined;
  #grpc = false;
  #edits: AnswerEdits | undefined;
  #exchange: Exchange | undefined;
  #content: StreamContent | undefined;
  #lease: Lease | undefined;
  #mirror: Mirror | undefined;
  #tunnel: Tunnel | undefined;
  /** When even a tunnel must be over, ms since the epoch. */
  #lastAt = never;
  /** For the access log. */
  #record: TurnRecord | undefined;
  #read = false;
  #refused = false;

  constructor(context: EdgeContext, host: StreamHost, stream: ServerHttp2Stream) {
    this.#context = context;
    this.#host = host;
    this.#stream = stream;
    this.#answer = new StreamAnswer(stream);
    this.#requestId = context.requestId();
    this.#tally = context.counters.unrouted;
    // The reason does not matter to anyone: 'close' follows.
    stream.on('error', () => {});
    stream.on('drain', () => this.#drained());
    stream.on('close', () => this.#closed());
    context.deadlines.add(this);
  }

  begin(raw: readonly string[]): void {
    this.#read = this.#stream.endAfterHeaders;
    const webSocketKey = () => randomBytes(16).toString('base64');
    const text = requestText(raw, { more: !this.#read, webSocketKey });
    if ('reason' in text) this.#refuse(text);
    else {
      this.#text = text;
      this.#decide();
    }
  }

  /** Its route is gone: a tunnel has so long. */
  drain(withinMs: number): void {
    this.#lastAt = this.#context.clock.now() + withinMs;
    if (this.#tunnel !== undefined) this.deadlineAt = Math.min(this.deadlineAt, this.#lastAt);
  }

  overdue(): void {
    if (this.#answer.over) this.#stream.close(0);
    else if (this.#tunnel !== undefined || this.#stream.headersSent) this.#stream.close(cancel);
    else {
      this.#exchange?.clientClosed();
      this.failed(408, 'The request did not arrive in time.');
    }
  }

  get congested(): boolean {
    return this.#stream.writableNeedDrain;
  }

  wantContent(): void {
    this.#expect(this.#context.settings.bodyMs);
    this.#content?.want();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  interim(head: ResponseHead): void {
    this.#answer.interim(head);
  }

  answer({ head, framing, endpoint, encoding }: Answer, buffer: Buffer, content: Slices): void {
    if (!this.#answer.open) return;
    // To the client 2xx would mean that the tunnel stands.
    if (this.#text?.webSocket === true && head.status < 300) {
      this.#exchange?.fail(502, 'The service did not switch protocols.');
      return;
    }
    if (this.#record !== undefined) this.#record.status = head.status;
    const facts = {
      framing,
      clientMinor: 0,
      keepAlive: true,
      edits: this.#edits,
      endpoint,
      encoding,
      date: undefined,
    } as const;
    const ends = { endStream: framing === 'none', waitForTrailers: framing === 'chunked' };
    if (this.#answer.head(head.status, answerFields(head, facts), ends)) this.content(buffer, content);
    else this.#exchange?.fail(502, 'The service sent an answer that HTTP/2 cannot tell.');
  }

  content(buffer: Buffer, content: Slices): void {
    this.#answer.content(content.taken(buffer));
  }

  touched(): void {
    if (this.congested) this.#expect(this.#context.settings.bodyMs);
    else if (this.#read) this.#expect(never);
  }

  finished(trailers: string): void {
    this.#log();
    this.#finish(trailers);
  }

  failed(status: number, text: string): void {
    this.#answerItself({ status, text });
  }

  broken(): void {
    this.#log('answer-broken');
    this.#answer.break();
  }

  switched(connection: Connection, head: ResponseHead, rest: string): void {
    if (this.#record !== undefined) this.#record.status = 200;
    this.#exchange = undefined;
    this.#answer.switched(head);
    const touch = () => {
      this.#expect(this.#context.settings.tunnelMs);
      this.deadlineAt = Math.min(this.deadlineAt, this.#lastAt);
    };
    touch();
    const options = { touch, ended: () => this.#lease?.end() };
    this.#tunnel = streamTunnel(this.#context, [this.#stream, connection], options);
    if (rest !== '') this.#stream.write(rest, 'latin1');
  }

  #decide(verdict?: AuthVerdict): void {
    const head = readHead(this.#text!, this.#context.scratch);
    if ('reason' in head) {
      this.#refuse(head);
      return;
    }
    this.#head = head;
    this.#record ??= streamRecord(this.#context, { head, host: this.#host, answer: this.#answer });
    this.#grpc = isGrpc(head);
    const decision = decide(this.#context, [this.#host.facts, head], verdict);
    if (decision.kind === 'wait') this.#wait(decision.until);
    else if (decision.kind === 'forward') this.#forward(decision, head);
    else {
      this.#tally = decision.tally;
      this.#answerItself(decision.answer);
    }
  }

  #wait(until: Extract<Decision, { kind: 'wait' }>['until']): void {
    void until.then((verdict) => {
      if (this.#answer.open) this.#decide(verdict);
    });
  }

  #forward(decision: Forward, head: RequestHead): void {
    const { settings, upstreams, chance } = this.#context;
    const request = exchangeRequest(decision, [this.#host.facts, head], {
      requestId: this.#requestId,
      httpsPort: settings.httpsPort,
      contentAs: 'payload',
      upstreams,
      chance,
    });
    this.route = decision.route.id;
    if (this.#record !== undefined) this.#record.route = this.route;
    this.#tally = request.tally;
    this.#edits = request.edits;
    this.#lease = request.lease;
    const webSocket = this.#text?.webSocket === true;
    const complete = this.#read || webSocket;
    if (!complete) this.#content = new StreamContent(this.#stream, head.chunked, this);
    this.#exchange = new Exchange(this.#context, this, request);
    if (request.options.mirror !== undefined)
      this.#mirror = mirrored(this.#context, request, { content: undefined, complete });
    this.#exchange.begin(undefined, complete);
  }

  /** More of the request's content, as the endpoint gets it. */
  requestContent(bytes: Buffer | undefined, complete: boolean): void {
    this.#read = complete;
    if (this.#record !== undefined) this.#record.bytesIn += bytes?.length ?? 0;
    const exchange = this.#exchange;
    if (exchange?.wantsContent !== true) return;
    this.#expect(complete ? never : this.#context.settings.bodyMs);
    this.#mirror?.content(bytes, complete);
    exchange.requestContent(bytes, complete);
  }

  #drained(): void {
    if (this.#tunnel === undefined) this.#exchange?.clientDrained();
    else this.#tunnel.clientDrained();
  }

  #closed(): void {
    this.#context.deadlines.delete(this);
    const wasted = this.#refused || this.#stream.rstCode !== 0;
    this.#answer.over = true;
    this.#exchange?.clientClosed();
    this.#log(this.#tunnel === undefined ? 'client-gone' : undefined);
    this.#tunnel?.clientClosed();
    this.#host.over(this, wasted);
  }

  #refuse(fault: Fault): void {
    this.#refused = true;
    this.#context.counters.refused++;
    this.#answerItself({ status: fault.status, text: `The request was refused: ${fault.reason}.` });
  }

  #answerItself(answer: PolicyAnswer): void {
    if (!this.#answer.open) return;
    const { status, text, why = text } = answer;
    this.#tally.answered(status);
    if (this.#record !== undefined) this.#record.status = status;
    this.#log(why);
    if (this.#grpc) this.#answer.grpc(answer, this.#requestId);
    else {
      const head = this.#head;
      const json = head !== undefined && prefersJson(fieldValue(head, 'accept'));
      const headOnly = head?.method === 'HEAD';
      this.#answer.page(answer, {
        requestId: this.#requestId,
        now: this.#context.clock.now(),
        headOnly,
        json,
      });
    }
    this.#finish();
  }

  #log(why?: string): void {
    this.#record?.end(this.#requestId, this.#exchange?.journey, why);
  }

  /** All was said. What the client still sends is of no use, and before long it is told to stop, without blame (RFC 9113 §8.1). */
  #finish(trailers?: string): void {
    this.#exchange = undefined;
    this.#answer.end(trailers);
    if (this.#read || this.#stream.readableEnded) return;
    this.#expect(lingerMs);
    this.#stream.resume();
  }

  #expect(withinMs: number): void {
    this.deadlineAt = this.#context.clock.now() + withinMs;
  }
}
