import { isIP } from 'node:net';
import { Backlog } from './backlog.ts';
import type { EdgeContext } from './context.ts';
import type { Deadlined } from './deadlines.ts';
import { Exchange, type ExchangeClient } from './exchange.ts';
import { type AnswerEdits, type ForwardFacts, forwardRequest, valuesOf } from './forward.ts';
import { requestFraming } from './http1/body.ts';
import { CR, LF } from './http1/characters.ts';
import { isFault } from './http1/facts.ts';
import { type Fault, faults } from './http1/fault.ts';
import { INCOMPLETE } from './http1/fields.ts';
import { type RequestHead, type RequestScan, readRequest, scanRequest } from './http1/request-head.ts';
import { matchRoute } from './match.ts';
import { renderPage } from './pages.ts';
import {
  listed,
  type PolicyAnswer,
  type PolicyRequest,
  passwordAnswer,
  policyAnswer,
  publicLocation,
  type RoutePolicy,
  strippedTarget,
} from './route-policy.ts';
import type { RouteTable, TableRoute } from './route-table.ts';
import type { RouteTally } from './route-tally.ts';
import { readCookies, type StickyCookies } from './sticky.ts';
import { Tunnel } from './tunnel.ts';
import type { Connection } from './upstream.ts';
import type { Wire, WireUser } from './wire.ts';

export type ClientOptions = {
  readonly scheme: 'http' | 'https';
  /** The port the client connected to. */
  readonly port: number;
  readonly open: (user: WireUser) => Wire;
  readonly onClosed: (connection: ClientConnection) => void;
};

/** A pipeline longer than this is not read on until the present exchange has ended. */
const maxBacklogBytes = 65_536;
/** A head this short is read again with every piece of it, so that nonsense is refused at once. */
const eagerBytes = 2_048;
/** How long a refused client may go on sending before its connection is cut; else the refusal itself could get lost. */
const lingerMs = 2_000;
const never = Number.POSITIVE_INFINITY;
const noRoute = { status: 404, text: 'No route leads from this host and path to a service.' };
const busy = { status: 503, text: 'Too many passwords are being checked.' };
const noTable = { status: 503, text: 'The edge has no routes yet.' };

/** One client's connection: requests one after the other, each an exchange; perhaps a tunnel at the end. */
export class ClientConnection implements WireUser, ExchangeClient, Deadlined {
  readonly wire: Wire;
  deadlineAt: number;
  readonly #context: EdgeContext;
  readonly #options: ClientOptions;
  readonly #address: string;
  readonly #trusted: boolean;
  readonly #backlog = new Backlog();
  /** How far the backlog was searched for the end of a line. */
  #searched = 0;
  #emptyLine = false;
  #exchange: Exchange | undefined;
  #head: RequestHead | undefined;
  #requestId = '';
  /** Where the request at hand goes. */
  #route: TableRoute | undefined;
  #tally: RouteTally;
  #tunnel: Tunnel | undefined;
  #processing = false;
  #lingering = false;
  /** The password of the request at the front of the backlog is being checked. */
  #checking = false;
  #ended = false;
  #closing = false;

  constructor(context: EdgeContext, options: ClientOptions) {
    this.#context = context;
    this.#tally = context.counters.unrouted;
    this.#options = options;
    this.wire = options.open(this);
    this.#address = plainAddress(this.wire.socket.remoteAddress);
    this.#trusted = isTrusted(context, this.#address);
    this.deadlineAt = context.clock.now() + context.settings.headMs;
    context.deadlines.add(this);
  }

  /** Lets a request in flight end, and closes. */
  close(): void {
    this.#closing = true;
    if (this.#exchange === undefined && this.#tunnel === undefined) this.wire.destroy();
  }

  bytes(buffer: Buffer, length: number): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.clientBytes(buffer, 0, length);
      return;
    }
    if (this.#lingering) return;
    if (this.#backlog.length > 0 || this.#processing) {
      this.#backlog.append(buffer, 0, length);
      this.#processBacklog();
      return;
    }
    const rest = this.#process(buffer, 0, length);
    if (rest < length && !this.#lingering) this.#backlog.append(buffer, rest, length);
    this.#limitBacklog();
  }

  ended(): void {
    this.#ended = true;
    if (this.#tunnel !== undefined) this.#tunnel.clientEnded();
    else if (this.#lingering) this.wire.destroy();
    else if (this.#checking) return;
    else if (this.#exchange === undefined) this.wire.end();
    else if (!this.#exchange.bodyRead) this.wire.destroy();
  }

  drained(): void {
    if (this.#tunnel !== undefined) this.#tunnel.clientDrained();
    else this.#exchange?.clientDrained();
  }

  closed(): void {
    this.#context.deadlines.delete(this);
    this.#exchange?.clientClosed();
    this.#exchange = undefined;
    this.#tunnel?.clientClosed();
    this.#options.onClosed(this);
  }

  overdue(): void {
    if (this.#tunnel !== undefined || this.#lingering || this.wire.congested) {
      this.wire.destroy();
      return;
    }
    if (this.#exchange !== undefined) {
      this.#exchange.clientClosed();
      this.failed(408, 'The request did not arrive in time.');
      return;
    }
    if (this.#backlog.length > 0) this.#refuse({ status: 408, reason: 'head did not arrive in time' });
    else this.wire.destroy();
  }

  wantBody(): void {
    this.#deadline(this.#context.settings.bodyMs);
    if (!this.#processing) this.#processBacklog();
    this.wire.resume();
  }

  touched(): void {
    if (this.wire.congested) this.#deadline(this.#context.settings.bodyMs);
    else this.deadlineAt = this.#exchange?.bodyRead === false ? this.deadlineAt : never;
  }

  finished(keepAlive: boolean): void {
    this.#exchange = undefined;
    if (!keepAlive || this.#closing) {
      this.#linger();
      return;
    }
    this.#next();
  }

  /** After a request with content we would have to read on to find the next one; it is simpler and safer to close. */
  failed(status: number, text: string): void {
    this.#exchange = undefined;
    this.#tally.answered(status);
    this.#page({ status, text, close: !this.#keepsWithoutContent() });
  }

  broken(): void {
    this.#exchange = undefined;
    this.wire.reset();
  }

  switched(connection: Connection): void {
    this.#exchange = undefined;
    const touch = () => this.#deadline(this.#context.settings.tunnelMs);
    touch();
    this.#tunnel = new Tunnel(this.#context, { client: this.wire, upstream: connection }, touch);
    this.#tunnel.clientBytes(this.#backlog.bytes, this.#backlog.start, this.#backlog.end);
    this.#backlog.consume(this.#backlog.end);
    this.wire.resume();
    if (this.#ended) this.#tunnel.clientEnded();
  }

  /** An answer is complete and the connection stays: whatever waits in the backlog is the next request. */
  #next(): void {
    if (this.#ended && this.#backlog.length === 0) {
      this.wire.end();
      return;
    }
    this.#deadline(this.#backlog.length > 0 ? this.#context.settings.headMs : this.#context.settings.idleMs);
    this.wire.resume();
    if (!this.#processing && this.#backlog.length > 0) this.#processBacklog();
  }

  #processBacklog(): void {
    if (this.#processing) {
      this.#limitBacklog();
      return;
    }
    if (this.#exchange === undefined && !this.#backlogHasLine()) return;
    const { bytes, start, end } = this.#backlog;
    const rest = this.#process(bytes, start, end);
    // More may have been appended meanwhile, but never in front of `rest`.
    this.#backlog.consume(rest);
    this.#searched = rest;
    this.#limitBacklog();
  }

  /** A long head is read again only when another line of it is complete: a client that sends single bytes costs little. */
  #backlogHasLine(): boolean {
    const { bytes, start, end, length } = this.#backlog;
    if (length <= eagerBytes || length >= this.#context.settings.maxHeadBytes) return true;
    const from = Math.max(start, this.#searched);
    const found = bytes.subarray(from, end).includes(LF);
    this.#searched = end;
    return found;
  }

  #limitBacklog(): void {
    if (this.#backlog.length > maxBacklogBytes) this.wire.pause();
  }

  /** Uses as much as it can; gives the offset of the first byte that must wait. */
  #process(buffer: Buffer, start: number, end: number): number {
    this.#processing = true;
    let at = start;
    while (at < end) {
      const next = this.#step(buffer, at, end);
      if (next === at) break;
      at = next;
    }
    this.#processing = false;
    return this.#lingering ? end : at;
  }

  #step(buffer: Buffer, at: number, end: number): number {
    if (this.#lingering || this.#checking || this.#tunnel !== undefined) return at;
    if (this.#exchange === undefined) return this.#readHead(buffer, at, end);
    if (!this.#exchange.wantsBody) return at;
    this.#deadline(this.#context.settings.bodyMs);
    const next = this.#exchange.requestBytes(buffer, at, end);
    if (this.#exchange?.bodyRead === true) this.deadlineAt = never;
    return next;
  }

  /** Everything is judged within the first `maxHeadBytes`, so that the verdict does not depend on how bytes were cut. */
  #readHead(buffer: Buffer, start: number, end: number): number {
    if (buffer[start] === CR && !this.#emptyLine) return this.#skipEmptyLine(buffer, start, end);
    const { scratch, settings } = this.#context;
    const window = Math.min(end, start + settings.maxHeadBytes);
    const next = scanRequest(buffer, start, window, scratch.request);
    if (next === INCOMPLETE && window - start < settings.maxHeadBytes) {
      if (this.#backlog.length === 0) this.#deadline(settings.headMs);
      return start;
    }
    const head = next > 0 ? this.#judge(buffer, start, next) : headFault(next, scratch.request);
    if (isFault(head)) {
      this.#refuse(head);
      return end;
    }
    this.#route = routeOf(this.#context.table(), head);
    const policy = this.#route?.policy;
    if (policy !== undefined && !this.#admitted(policy, head)) return start;
    return this.#begin(head, buffer, next, end);
  }

  #judge(buffer: Buffer, start: number, end: number): RequestHead | Fault {
    const { scratch, settings } = this.#context;
    if (scratch.request.fieldsStart > settings.maxLineBytes) return faults.targetTooLong;
    return readRequest(buffer.toString('latin1', start, end), scratch.request);
  }

  /** One empty line before a request is let pass (RFC 9112 §2.2). */
  #skipEmptyLine(buffer: Buffer, start: number, end: number): number {
    if (start + 1 === end) return start;
    this.#emptyLine = true;
    if (buffer[start + 1] === LF) return start + 2;
    this.#refuse(faults.bareReturn);
    return end;
  }

  #begin(head: RequestHead, buffer: Buffer, at: number, end: number): number {
    const { requestId, table } = this.#context;
    this.#head = head;
    this.#emptyLine = false;
    this.#requestId = requestId();
    this.#tally = this.#context.counters.unrouted;
    const route = this.#route;
    if (route === undefined) return this.#answerItself(table().revision === 0 ? noTable : noRoute, at, end);
    this.#tally = route.tally;
    const own = route.policy && this.#ownAnswer(route.policy, head);
    if (own !== undefined) return this.#answerItself(own, at, end);
    this.deadlineAt = never;
    const upgrade = upgradeOf(head);
    const sticky = route.policy?.options.sticky && readCookies(valuesOf(head, 'cookie', '; '));
    const sent = route.policy === undefined ? head : forService(head, route.policy);
    const forwarded = forwardRequest(sent, this.#forwardFacts(head, upgrade, sticky?.others));
    this.#exchange = new Exchange(
      this.#context,
      this,
      {
        method: head.method,
        minor: head.minor,
        forwarded,
        upgrade: upgrade !== undefined,
        keepAlive: this.#keeps(head),
        tally: route.tally,
        poolKey: route.poolKey,
        balance: { hashKey: this.#address },
        edits: route.policy && this.#editsOf(route.policy, head, sticky),
      },
      head,
    );
    return this.#exchange.begin(buffer, at, end);
  }

  #forwardFacts(head: RequestHead, upgrade: string | undefined, cookie: string | undefined): ForwardFacts {
    const { scheme, port } = this.#options;
    const requestId = this.#requestId;
    const clientAddress = this.#address;
    const hostText = head.host?.text;
    return { clientAddress, scheme, port, requestId, trusted: this.#trusted, upgrade, hostText, cookie };
  }

  /** The scheme is the one the client used: with a trusted proxy in front, the one it names. */
  #policyRequest(head: RequestHead): PolicyRequest {
    const told = this.#trusted ? valuesOf(head, 'x-forwarded-proto').toLowerCase() : '';
    const before = this.#trusted ? valuesOf(head, 'x-forwarded-for') : '';
    return {
      scheme: told === 'https' || told === 'http' ? told : this.#options.scheme,
      clientAddress: lastAddress(before) ?? this.#address,
      hostText: head.host?.text ?? '',
      path: head.path,
      target: head.target,
      httpsPort: this.#context.settings.httpsPort,
    };
  }

  #editsOf({ options }: RoutePolicy, head: RequestHead, sticky: StickyCookies | undefined): AnswerEdits {
    const { locationPrefix: prefix } = options;
    const hostText = head.host?.text ?? '';
    return {
      hsts: options.hsts === true && this.#policyRequest(head).scheme === 'https',
      location: prefix === undefined ? undefined : (value) => publicLocation(prefix, value, hostText),
      sticky: sticky && { sent: sticky.wanted },
    };
  }

  #ownAnswer(policy: RoutePolicy, head: RequestHead): PolicyAnswer | undefined {
    const own = policyAnswer(policy, this.#policyRequest(head));
    const { auth } = policy.options;
    if (own !== undefined || auth === undefined) return own;
    const verdict = this.#context.passwords.check(auth, valuesOf(head, 'authorization'));
    if (verdict === 'granted') return undefined;
    return verdict === 'denied' ? passwordAnswer(auth.realm) : busy;
  }

  /**
   * False: a password has to be checked first, which takes a while. The request stays where it is and is read again when the
   * verdict is known.
   */
  #admitted(policy: RoutePolicy, head: RequestHead): boolean {
    const { passwords, settings } = this.#context;
    if (policy.options.auth === undefined) return true;
    if (policyAnswer(policy, this.#policyRequest(head)) !== undefined) return true;
    const verdict = passwords.check(policy.options.auth, valuesOf(head, 'authorization'));
    if (typeof verdict === 'string') return true;
    this.#checking = true;
    this.#deadline(settings.headMs);
    void verdict.then(() => this.#checked());
    return false;
  }

  #checked(): void {
    this.#checking = false;
    this.#searched = this.#backlog.start;
    if (this.wire.open) this.#processBacklog();
  }

  #answerItself({ status, text, fields }: PolicyAnswer, at: number, end: number): number {
    const keepAlive = this.#keepsWithoutContent();
    this.#tally.answered(status);
    this.#page({ status, text, fields, close: !keepAlive });
    return keepAlive ? at : end;
  }

  #keepsWithoutContent(): boolean {
    const head = this.#head;
    return head?.minor === 1 && requestFraming(head) === 'none' && this.#keeps(head);
  }

  #keeps(head: RequestHead): boolean {
    return !this.#closing && !head.close && (head.minor === 1 || head.keepAlive);
  }

  #refuse(fault: Fault): void {
    this.#context.counters.refused++;
    this.#context.counters.unrouted.answered(fault.status);
    this.#requestId = this.#context.requestId();
    this.#head = undefined;
    this.#page({ status: fault.status, text: `The request was refused: ${fault.reason}.`, close: true });
  }

  #page(page: PolicyAnswer & { readonly close: boolean }): void {
    const headOnly = this.#head?.method === 'HEAD';
    this.wire.write(renderPage({ ...page, requestId: this.#requestId, headOnly }));
    if (page.close) this.#linger();
    else this.#next();
  }

  /** Says goodbye and waits for the other side to do the same: closing over unread bytes would destroy our last answer. */
  #linger(): void {
    this.wire.end();
    if (this.#ended) return;
    this.#lingering = true;
    this.#deadline(lingerMs);
    this.wire.resume();
  }

  #deadline(ms: number): void {
    this.deadlineAt = this.#context.clock.now() + ms;
  }
}

function headFault(next: number, scan: RequestScan): Fault {
  if (next !== INCOMPLETE) return scan.fields.fault;
  return faults.headTooLarge;
}

function plainAddress(address = ''): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function isTrusted(context: EdgeContext, address: string): boolean {
  return listed(context.trusted, address);
}

/** Only a GET without content may upgrade; `h2c` is never passed on, since the endpoint would leave our framing. */
function upgradeOf(head: RequestHead): string | undefined {
  const plain = head.upgrade && head.minor === 1 && head.method === 'GET' && requestFraming(head) === 'none';
  if (!plain) return undefined;
  const protocol = valuesOf(head, 'upgrade');
  return protocol === '' || /(^|[\s,])(h2c?|tls)([/\s,]|$)/i.test(protocol) ? undefined : protocol;
}

function routeOf(table: RouteTable, { host, path }: RequestHead): TableRoute | undefined {
  return host === undefined ? undefined : matchRoute(table, host.name, path);
}

/** The client as the nearest proxy saw it; undefined when it says nothing usable. */
function lastAddress(forwardedFor: string): string | undefined {
  const last = forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim();
  return isIP(last) === 0 ? undefined : last;
}

/** The head as the service gets it: a route that strips a prefix speaks to it under its own host. */
function forService(head: RequestHead, { options, host }: RoutePolicy): RequestHead {
  if (options.stripPrefix === undefined) return head;
  const name = host.startsWith('*') ? head.host : { text: host, name: host };
  return { ...head, target: strippedTarget(options, head.target), host: name, absolute: true };
}
