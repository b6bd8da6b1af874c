import type { BlockList, Server, Socket } from 'node:net';
import { isHttp, type Listener, tableOf } from '../../../core/model/listener.ts';
import { scopeOf } from '../../../core/model/route.ts';
import type { EdgeContext } from '../context.ts';
import type { Front } from '../front.ts';
import { ListenerTally } from '../l4/listener-tally.ts';
import { StreamConnection } from '../l4/stream-connection.ts';
import { UdpFlows } from '../l4/udp-flows.ts';
import { type ProxyEnds, scanProxyHeader } from '../proxy/proxy-header.ts';
import { socketEnds } from '../proxy/socket-ends.ts';
import { ClientConnection } from '../request/client-connection.ts';
import { type ClientFacts, clientFacts, plainAddress, tlsFacts } from '../request/client-facts.ts';
import { blockList, listed } from '../routes/route-policy.ts';
import type { Wire, WireUser } from '../wire/wire.ts';
import { scanHello } from './client-hello.ts';
import { FirstBytes, type FirstScan } from './first-bytes.ts';
import { type CertificateSource, type CertificateUse, listenPlain, listenTls, portOf } from './listener.ts';

export type DoorParts = {
  readonly context: EdgeContext;
  /** Undefined: no listener can speak TLS. */
  readonly certificates: CertificateSource | undefined;
  /** A connection of any door is gone. */
  readonly onClosed: () => void;
};

type Open = (user: WireUser) => Wire;
type Ends = ProxyEnds | undefined;

const usualIdleMs = { tcp: 3_600_000, 'tls-passthrough': 3_600_000, udp: 60_000, http: 0, https: 0 };
const mostFlows = 10_000;

/** One listener that is open in this worker, and all connections that came in by it. */
export class Door {
  readonly tally: ListenerTally;
  readonly fronts = new Set<Front>();
  readonly #parts: DoorParts;
  #listener: Listener;
  #scope = '';
  #proxies: BlockList | undefined;
  #server: Server | undefined;
  #flows: UdpFlows | undefined;
  #port = 0;
  #leavesWithin: number | undefined;
  #refreshTls: () => void = () => {};
  /** What proxies said of connections whose TLS is being made, by their ends. */
  readonly #told = new Map<string, ProxyEnds>();

  constructor(parts: DoorParts, listener: Listener) {
    this.#parts = parts;
    this.#listener = listener;
    this.tally = new ListenerTally(listener.id);
    this.change(listener);
  }

  get listener(): Listener {
    return this.#listener;
  }

  /** The one it really got. */
  get port(): number {
    return this.#port;
  }

  /** Connections from now on are treated so; the place stays what it is. */
  change(listener: Listener): void {
    const { acceptProxy } = listener.options ?? {};
    this.#listener = listener;
    this.#scope = scopeOf(tableOf(listener));
    this.#proxies = acceptProxy && blockList(acceptProxy);
    this.#refreshTls();
  }

  /** `handle`: a socket that is bound there already. Throws PortInUse. */
  async open(address: string, handle: object | undefined): Promise<void> {
    const { port, protocol } = this.#listener;
    const place = { address, port, handle };
    if (protocol === 'udp') await this.#openFlows({ address, port });
    else if (protocol === 'https')
      this.#server = await this.#openTls({
        ...{ ...place, minTls: () => this.#minTls, use: () => this.#certificateUse },
        onReady: (refresh) => {
          this.#refreshTls = refresh;
        },
      });
    else {
      const { scratch } = this.#parts.context;
      this.#server = await listenPlain(place, scratch, (open) => this.#arrive(open));
    }
    this.#port = this.#server === undefined ? (this.#flows?.port ?? 0) : portOf(this.#server);
  }

  /** Takes no more; what is there goes on. */
  shut(): void {
    this.#server?.close();
    this.#server = undefined;
    this.#flows?.close();
    this.#flows = undefined;
  }

  /** Takes no more; who is there leaves with the next answer, and whoever becomes a front from now on too. */
  leave(withinMs: number): void {
    this.#leavesWithin = withinMs;
    this.shut();
    for (const front of this.fronts) front.leave(withinMs);
  }

  drain(routes: ReadonlySet<string>, withinMs: number): void {
    for (const front of this.fronts) front.drain(routes, withinMs);
    this.#flows?.drain(routes);
  }

  async #openFlows(place: { readonly address: string; readonly port: number }): Promise<void> {
    const flows = new UdpFlows(this.#parts.context, {
      ...{ place, scope: () => this.#scope, tally: this.tally, listener: this.#listener.id },
      idleMs: () => this.#listener.options?.idleMs ?? usualIdleMs.udp,
      mostFlows: () => this.#listener.options?.maxConnections ?? mostFlows,
    });
    await flows.open();
    this.#flows = flows;
  }

  get #certificateUse(): CertificateUse {
    return { names: this.#listener.options?.certificates, scope: this.#scope };
  }

  get #minTls(): '1.2' | '1.3' {
    return this.#listener.options?.minTls ?? this.#parts.context.settings.minTls;
  }

  #openTls(place: Parameters<typeof listenTls>[0]): Promise<Server> {
    const { certificates, context } = this.#parts;
    if (certificates === undefined) throw new TypeError('an engine without certificates cannot serve https');
    const { counters } = context;
    return listenTls(place, certificates, {
      onFailed: () => counters.tlsFailures++,
      onAccepted: (open, socket) => {
        counters.tlsHandshakes++;
        this.#serveHttp('https', open, this.#toldOf(socket));
      },
      onHttp2: (socket) => {
        counters.tlsHandshakes++;
        void this.#takeHttp2(socket, this.#factsOfTls(socket));
      },
      before: (socket, open, go) => this.#beforeTls(socket, open, go),
    });
  }

  /** PROXY headers come before TLS. */
  #beforeTls(socket: Socket, open: Open, go: () => void): void {
    this.tally.connections++;
    if (this.#isFull()) {
      socket.destroy();
      this.tally.refused++;
      return;
    }
    if (this.#proxies === undefined || !listed(this.#proxies, plainAddress(socket.remoteAddress))) {
      go();
      return;
    }
    const reader = new FirstBytes(this.#parts.context, {
      ...{ open, scan: proxyEnds },
      onFound: (wire, ends, rest) => {
        this.#forget(reader);
        this.#note(socket, ends);
        wire.abandon();
        if (rest.length > 0) socket.unshift(rest);
        go();
      },
      onClosed: () => this.#refused(reader),
    });
    this.#admit(reader);
  }

  /** A connection whose first byte has not been read. */
  #arrive(open: Open): void {
    this.tally.connections++;
    if (this.#isFull()) {
      open(nobody).reset();
      this.tally.refused++;
      return;
    }
    if (this.#proxies === undefined) this.#enter(open, undefined, undefined);
    else this.#askProxy(this.#proxies, open);
  }

  #askProxy(proxies: BlockList, open: Open): void {
    const wire = open(nobody);
    const handed: Open = (user) => {
      wire.user = user;
      return wire;
    };
    if (!listed(proxies, plainAddress(wire.socket.remoteAddress))) {
      this.#enter(handed, undefined, undefined);
      return;
    }
    const reader = new FirstBytes(this.#parts.context, {
      ...{ open: handed, scan: proxyEnds },
      onFound: (_, ends, rest) => {
        this.#forget(reader);
        this.#enter(handed, ends, rest.length === 0 ? undefined : rest);
      },
      onClosed: () => this.#refused(reader),
    });
    this.#admit(reader);
  }

  #enter(open: Open, ends: Ends, first: Buffer | undefined): void {
    const { protocol } = this.#listener;
    if (isHttp(protocol)) {
      const client = this.#serveHttp('http', open, ends);
      if (first !== undefined) client.bytes(first, first.length);
    } else if (protocol === 'tcp') this.#serveStream(open, ends, { serverName: '', first });
    else this.#readHello(open, ends, first);
  }

  #serveHttp(scheme: 'http' | 'https', open: Open, ends: Ends): ClientConnection {
    const client = new ClientConnection(this.#parts.context, {
      ...{ scheme, port: this.#port, scope: this.#scope, open, ends },
      onClosed: (closed) => this.#forget(closed),
      onHttp2: (one) => {
        this.#forget(one);
        void this.#takeHttp2(one.wire.socket, one.facts);
      },
    });
    this.#admit(client);
    return client;
  }

  #readHello(open: Open, ends: Ends, first: Buffer | undefined): void {
    const reader = new FirstBytes(this.#parts.context, {
      ...{ open, scan: serverName },
      onFound: (wire, name, all) => {
        const handed: Open = (user) => {
          wire.user = user;
          return wire;
        };
        this.#forget(reader);
        this.#serveStream(handed, ends, { serverName: name, first: all });
      },
      onClosed: () => this.#refused(reader),
    });
    this.#admit(reader);
    if (first !== undefined) reader.bytes(first, first.length);
  }

  #serveStream(
    open: Open,
    ends: Ends,
    { serverName, first }: { readonly serverName: string; readonly first: Buffer | undefined },
  ): void {
    const { protocol, options } = this.#listener;
    const stream = new StreamConnection(this.#parts.context, {
      ...{ open, first, tally: this.tally, listener: this.#listener },
      question: { scope: this.#scope, serverName },
      endsOf: (wire) => ends ?? socketEnds(wire.socket),
      idleMs: options?.idleMs ?? usualIdleMs[protocol],
      onClosed: (closed) => this.#forget(closed),
    });
    this.#admit(stream);
  }

  #note(socket: Socket, ends: Ends): void {
    const key = endsOf(socket);
    this.#told.delete(key);
    if (ends === undefined) return;
    this.#told.set(key, ends);
    socket.once('close', () => this.#told.delete(key));
  }

  #toldOf(socket: Socket): Ends {
    if (this.#told.size === 0) return undefined;
    const key = endsOf(socket);
    const ends = this.#told.get(key);
    this.#told.delete(key);
    return ends;
  }

  #factsOfTls(socket: Socket): ClientFacts {
    const ends = this.#toldOf(socket);
    const remoteAddress = ends?.source.address ?? socket.remoteAddress;
    const port = ends?.destination.port ?? this.#port;
    const arrival = { remoteAddress, scheme: 'https', port, scope: this.#scope } as const;
    const facts = clientFacts(this.#parts.context.trusted, arrival);
    return { ...facts, ends: () => ends ?? socketEnds(socket), ...tlsFacts(socket) };
  }

  /** node:http2 is loaded for the first client that speaks it: an edge without stays small. */
  async #takeHttp2(socket: Socket, facts: ClientFacts): Promise<void> {
    const { Http2Connection } = await import('../http2/connection.ts');
    if (socket.destroyed || (this.#server === undefined && this.#leavesWithin === undefined)) {
      socket.destroy();
      return;
    }
    const onClosed = (client: Front) => this.#forget(client);
    this.#admit(new Http2Connection(this.#parts.context, { facts, socket, onClosed }));
  }

  #isFull(): boolean {
    const most = this.#listener.options?.maxConnections;
    return most !== undefined && this.fronts.size >= most;
  }

  #admit(front: Front): void {
    this.fronts.add(front);
    this.tally.open++;
    if (this.#leavesWithin !== undefined) front.leave(this.#leavesWithin);
    this.#parts.context.counters.openConnections++;
  }

  /** It is gone, or goes on as another front. */
  #forget(front: Front): void {
    if (!this.fronts.delete(front)) return;
    this.tally.open--;
    this.#parts.context.counters.openConnections--;
    this.#parts.onClosed();
  }

  #refused(front: Front): void {
    if (this.fronts.has(front)) this.tally.refused++;
    this.#forget(front);
  }
}

/** Of a connection that nobody wants, and of one until somebody does. */
const nobody: WireUser = { bytes() {}, ended() {}, drained() {}, closed() {} };

/** Who is at the ends of a connection, by the header that a proxy sends before all else, before TLS too. */
function proxyEnds(bytes: Buffer): FirstScan<Ends> {
  const scan = scanProxyHeader(bytes);
  if (scan.kind === 'fault') return { kind: 'unreadable' };
  return scan.kind === 'incomplete'
    ? scan
    : { kind: 'found', value: scan.ends, rest: bytes.subarray(scan.length) };
}

/** The name a client asks for ('' for none) where its TLS is not ours to end. */
function serverName(bytes: Buffer): FirstScan<string> {
  const scan = scanHello(bytes);
  return scan.kind === 'hello' ? { kind: 'found', value: scan.hello.serverName ?? '', rest: bytes } : scan;
}

/** Tells a connection from all others that are open. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
