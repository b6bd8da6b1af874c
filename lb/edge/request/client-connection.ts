import type { AuthVerdict } from '../access/access-question.ts';
import type { EdgeContext } from '../context.ts';
import type { Front } from '../front.ts';
import type { Fault } from '../http1/fault.ts';
import { INCOMPLETE, REFUSED } from '../http1/fields.ts';
import { isPreface } from '../listeners/preface.ts';
import type { ProxyEnds } from '../proxy/proxy-header.ts';
import { socketEnds } from '../proxy/socket-ends.ts';
import { tlsVersion } from '../telemetry/turn-record.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { Deadlined } from '../wire/deadlines.ts';
import type { Wire, WireUser } from '../wire/wire.ts';
import { type ClientFacts, clientFacts, tlsFacts } from './client-facts.ts';
import { ClientInput, type InputUser } from './client-input.ts';
import { decide } from './decide.ts';
import { HeadReader } from './head-reader.ts';
import { renderPage } from './pages.ts';
import { Tunnel } from './tunnel.ts';
import { Turn, type TurnHost } from './turn.ts';

export type ClientOptions = {
  readonly scheme: 'http' | 'https';
  /** The port the client connected to. */
  readonly port: number;
  /** Of the table its listener serves (`scopeOf`). */
  readonly scope: string;
  /** What a proxy says of it (PROXY protocol). */
  readonly ends?: ProxyEnds | undefined;
  readonly open: (user: WireUser) => Wire;
  readonly onClosed: (connection: ClientConnection) => void;
  /** The client speaks HTTP/2: its socket, with all that came, is somebody else's from now on. */
  readonly onHttp2: (connection: ClientConnection) => void;
};

/** How long a refused client may go on sending before its connection is cut; else the refusal itself could get lost. */
const lingerMs = 2_000;

/** One client's HTTP/1 connection: requests one after the other, each a turn; perhaps a tunnel at the end. */
export class ClientConnection implements Front, WireUser, InputUser, TurnHost, Deadlined {
  readonly wire: Wire;
  readonly facts: ClientFacts;
  deadlineAt: number;
  closing = false;
  readonly #context: EdgeContext;
  readonly #options: ClientOptions;
  readonly #input: ClientInput;
  readonly #heads: HeadReader;
  #turn: Turn | undefined;
  #tunnel: Tunnel | undefined;
  #route: string | undefined;
  /** When even a tunnel must be over, ms since the epoch. */
  #lastAt = Number.POSITIVE_INFINITY;
  #lingering = false;
  /** Something must be found out about the request whose head came last. */
  #waiting = false;
  /** What was found out about it. */
  #verdict: AuthVerdict | undefined;
  #ended = false;
  /** The client does not take what it was answered: it is asked nothing more until it has. */
  #heldUp = false;
  /** No request has come yet. */
  #isFirst = true;

  constructor(context: EdgeContext, options: ClientOptions) {
    const { scheme, scope, ends } = options;
    this.#context = context;
    this.#options = options;
    this.#input = new ClientInput(this, context.settings.maxHeadBytes);
    this.#heads = new HeadReader(context);
    this.wire = options.open(this);
    const remoteAddress = ends === undefined ? this.wire.socket.remoteAddress : ends.source.address;
    const port = ends === undefined ? options.port : ends.destination.port;
    const known = clientFacts(context.trusted, { remoteAddress, scheme, port, scope });
    const facts = { ...known, ends: () => ends ?? socketEnds(this.wire.socket) };
    this.facts = scheme === 'http' ? facts : { ...facts, ...tlsFacts(this.wire.socket) };
    this.deadlineAt = context.clock.now() + context.settings.headMs;
    context.deadlines.add(this);
  }

  leave(withinMs: number): void {
    this.closing = true;
    this.#lastAt = this.#context.clock.now() + withinMs;
    if (this.#tunnel !== undefined) this.deadlineAt = Math.min(this.deadlineAt, this.#lastAt);
  }

  close(withinMs: number): void {
    if (this.#turn === undefined && this.#tunnel === undefined && !this.#heldUp) this.wire.destroy();
    else this.#endWithin(withinMs);
  }

  /** If its route is gone, what is in flight ends, the next answer is the last one, and a tunnel has so long. */
  drain(routes: ReadonlySet<string>, withinMs: number): void {
    if (this.#route !== undefined && routes.has(this.#route)) this.#endWithin(withinMs);
  }

  destroy(): void {
    this.wire.destroy();
  }

  bytes(buffer: Buffer, length: number): void {
    if (this.#tunnel === undefined) this.#input.take(buffer, length);
    else this.#tunnel.clientBytes(buffer, 0, length);
  }

  ended(): void {
    this.#ended = true;
    if (this.#tunnel !== undefined) this.#tunnel.clientEnded();
    else if (this.#lingering) this.wire.destroy();
    else if (this.#turn === undefined) this.#endIfIdle();
    else if (!this.#turn.read) this.wire.destroy();
  }

  drained(): void {
    if (this.#tunnel !== undefined) this.#tunnel.clientDrained();
    else if (this.#turn !== undefined) this.#turn.clientDrained();
    else if (this.#heldUp) {
      this.#heldUp = false;
      this.over(true);
    }
  }

  closed(): void {
    this.#context.deadlines.delete(this);
    this.#turn?.clientClosed();
    this.#turn = undefined;
    this.#tunnel?.clientClosed();
    this.#options.onClosed(this);
  }

  overdue(): void {
    if (this.#tunnel !== undefined || this.#lingering || this.wire.congested) this.wire.destroy();
    else if (this.#turn !== undefined) this.#turn.overdue();
    else if (this.#input.waiting > 0) this.#refuse({ status: 408, reason: 'head did not arrive in time' });
    else this.wire.destroy();
  }

  flooded(): void {
    this.wire.pause();
  }

  get awaitsHead(): boolean {
    return this.#turn === undefined;
  }

  step(buffer: Buffer, at: number, end: number): number {
    if (this.#waiting || this.#heldUp) return at;
    return this.#turn === undefined ? this.#readHead(buffer, at, end) : this.#turn.bytes(buffer, at, end);
  }

  expect(withinMs: number): void {
    this.deadlineAt = this.#context.clock.now() + withinMs;
  }

  moreInput(): void {
    this.#input.again();
    this.wire.resume();
  }

  over(keepAlive: boolean): void {
    this.#turn = undefined;
    if (keepAlive && !this.closing) this.#next();
    else this.#linger();
  }

  upgraded(connection: Connection, ended: (receivedBytes: number) => void): void {
    this.#turn = undefined;
    const touch = () => {
      this.expect(this.#context.settings.tunnelMs);
      this.deadlineAt = Math.min(this.deadlineAt, this.#lastAt);
    };
    touch();
    const sides = { client: this.wire, upstream: connection };
    const tunnel = new Tunnel(this.#context, sides, { touch, ended });
    this.#tunnel = tunnel;
    this.#input.handOver((buffer, start, end) => tunnel.clientBytes(buffer, start, end));
    this.wire.resume();
    if (this.#ended) tunnel.clientEnded();
  }

  /** An answer is complete and the connection stays: whatever waits is the next request. */
  #next(): void {
    const { headMs, idleMs, bodyMs } = this.#context.settings;
    this.#heldUp = this.wire.congested;
    if (this.#heldUp) {
      this.expect(bodyMs);
      this.wire.pause();
      return;
    }
    this.expect(this.#input.waiting > 0 ? headMs : idleMs);
    this.wire.resume();
    this.#input.again();
    if (this.#ended) this.#endIfIdle();
  }

  /** The client sends nothing more, and of what it sent nothing is a request. */
  #endIfIdle(): void {
    const isBusy = this.#input.busy || this.#waiting || this.#heldUp || this.#lingering;
    if (!isBusy && this.#turn === undefined && this.#tunnel === undefined) this.wire.end();
  }

  #endWithin(ms: number): void {
    this.closing = true;
    this.#lastAt = this.#context.clock.now() + ms;
    this.deadlineAt = Math.min(this.deadlineAt, this.#lastAt);
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    const next = this.#heads.read(buffer, start, end);
    if (next === INCOMPLETE) {
      if (this.#input.waiting === 0) this.expect(this.#context.settings.headMs);
      return start;
    }
    if (next === REFUSED) {
      if (this.#isFirst && isPreface(buffer, start, end)) return this.#toHttp2(buffer, start, end);
      this.#refuse(this.#heads.fault);
      return end;
    }
    const { head } = this.#heads;
    if (head === undefined) return next;
    const decision = decide(this.#context, [this.facts, head], this.#verdict);
    this.#verdict = undefined;
    if (decision.kind === 'wait') {
      this.#wait(decision.until);
      return start;
    }
    this.#route = decision.kind === 'forward' ? decision.route.id : undefined;
    this.#isFirst = false;
    const turn = new Turn(this.#context, this, head);
    this.#turn = turn;
    turn.received(next - start);
    return turn.begin(decision, buffer, next, end);
  }

  #toHttp2(buffer: Buffer, start: number, end: number): number {
    const { socket } = this.wire;
    this.#input.close();
    this.#context.deadlines.delete(this);
    this.wire.abandon();
    socket.unshift(Buffer.from(buffer.subarray(start, end)));
    this.#options.onHttp2(this);
    return end;
  }

  /** The request stays where it is and is read again when we know what we wait for. */
  #wait(until: Promise<AuthVerdict | undefined>): void {
    this.#waiting = true;
    this.expect(this.#context.settings.headMs);
    void until.then((verdict) => {
      this.#waiting = false;
      this.#verdict = verdict;
      if (!this.wire.open) return;
      this.#input.again(true);
      if (this.#ended) this.#endIfIdle();
    });
  }

  #refuse({ status, reason }: Fault): void {
    const { counters, clock } = this.#context;
    const requestId = this.#context.requestId();
    const now = clock.now();
    const text = `The request was refused: ${reason}.`;
    counters.refused++;
    counters.unrouted.answered(status);
    this.wire.write(renderPage({ status, text, requestId, now, headOnly: false, close: true }));
    this.#logRefusal(requestId, status, reason);
    this.#linger();
  }

  #logRefusal(id: string, status: number, why: string): void {
    const { accessLog, clock } = this.#context;
    const { address: client, scheme } = this.facts;
    const tls = tlsVersion(this.wire);
    accessLog?.add({
      ...{ begunAt: clock.now(), id, client, scheme, tls, protocol: 'HTTP/1.1' },
      ...{ status, bytesIn: this.#input.waiting, bytesOut: 0, retries: 0, why },
    });
  }

  /** Says goodbye and waits for the other side to do the same: closing over unread bytes would destroy our last answer. */
  #linger(): void {
    this.#input.close();
    this.wire.end();
    if (this.#ended) return;
    this.#lingering = true;
    this.expect(lingerMs);
    this.wire.resume();
  }
}
