import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { TokenBucket } from '../access/token-bucket.ts';
import type { EdgeContext } from '../context.ts';
import type { Front } from '../front.ts';
import type { ClientFacts } from '../request/client-facts.ts';
import type { EdgeSettings } from '../settings.ts';
import type { Deadlined } from '../wire/deadlines.ts';
import { type StreamHost, StreamTurn } from './stream-turn.ts';

export type Http2Options = {
  readonly facts: ClientFacts;
  readonly socket: Socket;
  readonly onClosed: (connection: Http2Connection) => void;
};

const never = Number.POSITIVE_INFINITY;
const maxStreams = 128;
/** What all streams of a connection together may send before the endpoints have taken it. */
const windowBytes = 1_048_576;
/** Streams that a client opens and gives up: so many at once, and so many in a second for ever. */
const wasted = { burst: 200, perSecond: 50 };
const enhanceYourCalm = 11;
const lastPossibleStream = 2 ** 31 - 1;

/** One client's HTTP/2 connection: each of its streams is a turn. */
export class Http2Connection implements Front, StreamHost, Deadlined {
  readonly facts: ClientFacts;
  readonly socket: Socket;
  deadlineAt: number;
  readonly #context: EdgeContext;
  readonly #session: ServerHttp2Session;
  readonly #turns = new Set<StreamTurn>();
  readonly #budget = new TokenBucket(wasted.perSecond, wasted.burst);

  constructor(context: EdgeContext, { facts, socket, onClosed }: Http2Options) {
    this.#context = context;
    this.socket = socket;
    this.facts = { ...facts, http2: true };
    this.deadlineAt = context.clock.now() + context.settings.headMs;
    this.#session = performServerHandshake(socket, sessionOptions(context.settings));
    this.#session.setLocalWindowSize(windowBytes);
    this.#session.on('error', () => {});
    this.#session.on('stream', (stream, _headers, _flags, raw) => this.#serve(stream, raw));
    this.#session.on('close', () => {
      context.deadlines.delete(this);
      onClosed(this);
    });
    context.deadlines.add(this);
  }

  /** RFC 9113 §6.8: says that it will end, lets what is on the way arrive, then takes no more and ends with the last stream. */
  /** HTTP/2 has words for it. */
  leave(withinMs: number): void {
    this.close(withinMs);
  }

  close(withinMs: number): void {
    for (const turn of this.#turns) turn.drain(withinMs);
    this.#goAway();
  }

  #goAway(): void {
    const session = this.#session;
    if (session.closed || session.destroyed) return;
    session.goaway(0, lastPossibleStream);
    if (!session.ping(() => session.close())) session.close();
  }

  /** Requests in flight end; tunnels have so long. Other routes are served on. */
  drain(routes: ReadonlySet<string>, withinMs: number): void {
    for (const turn of this.#turns)
      if (turn.route !== undefined && routes.has(turn.route)) turn.drain(withinMs);
  }

  destroy(): void {
    this.#session.destroy();
  }

  overdue(): void {
    if (this.#session.closed) this.destroy();
    else this.#goAway();
    this.deadlineAt = this.#context.clock.now() + this.#context.settings.headMs;
  }

  over(turn: StreamTurn, isWasted: boolean): void {
    const { clock, settings } = this.#context;
    this.#turns.delete(turn);
    if (this.#turns.size === 0) this.deadlineAt = clock.now() + settings.idleMs;
    if (!isWasted) return;
    if (this.#budget.has(clock.now())) this.#budget.take();
    else this.#session.destroy(undefined, enhanceYourCalm);
  }

  #serve(stream: ServerHttp2Stream, raw: readonly string[]): void {
    const turn = new StreamTurn(this.#context, this, stream);
    this.#turns.add(turn);
    this.deadlineAt = never;
    turn.begin(raw);
  }
}

/** CONTINUATION and SETTINGS floods are ended by the library itself. */
function sessionOptions({ maxHeadBytes, maxFields }: EdgeSettings) {
  return {
    settings: {
      enablePush: false,
      enableConnectProtocol: true,
      maxConcurrentStreams: maxStreams,
      maxHeaderListSize: maxHeadBytes,
    },
    // A cookie may come in many pieces (RFC 9113 §8.2.3); the head that is made of them is held to the limit itself.
    maxHeaderListPairs: 2 * maxFields,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxSettings: 16,
    streamResetBurst: wasted.burst,
    streamResetRate: wasted.perSecond,
  };
}
