import { createServer, type Server, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { errorCode, WeirError } from '../../../core/kit/errors.ts';
import { PortInUse } from '../../../core/kit/listen.ts';
import { askForCertificate } from '../access/client-certificate.ts';
import { ChallengeServer } from '../tls/challenge-server.ts';
import { contextOptions } from '../tls/tls-policy.ts';
import { acceptedWire, type SharedByWires, streamWire, type Wire, type WireUser } from '../wire/wire.ts';
import type { ListenPlace } from './listen-socket.ts';
import { moreHandles } from './more-handles.ts';

const backlog = 4_096;
/** Connections that are taken before those that are there get their turn again. */
const mostATurn = 16;

export type ListenWhere = ListenPlace & {
  /** A socket that is already bound there, from another process. */
  readonly handle: object | undefined;
};

/** Where, and what clients must speak at least; absent: 1.2. */
export type ListenTlsWhere = ListenWhere & {
  readonly minTls?: () => '1.2' | '1.3';
  /** Is given what makes new connections follow `minTls` anew, once there have been any. */
  readonly onReady?: (refresh: () => void) => void;
  readonly use?: () => CertificateUse;
};

/** What a listener makes of the certificates there are. */
export type CertificateUse = {
  /** Names of those it chooses from, the first for clients that name no host; undefined: all. */
  readonly names: readonly string[] | undefined;
  /** Of the table it serves (`scopeOf`). */
  readonly scope: string;
};

/** Turns an accepted connection into a wire for the given user. */
export type Accepted = (open: (user: WireUser) => Wire) => void;

export type TlsTakers = {
  /** A connection came: `go` begins TLS, with whatever is left to read then. */
  readonly before: (socket: Socket, open: (user: WireUser) => Wire, go: () => void) => void;
  readonly onAccepted: (open: (user: WireUser) => Wire, socket: Socket) => void;
  readonly onHttp2: (socket: Socket) => void;
  /** A handshake came to nothing. */
  readonly onFailed: () => void;
};

/** Where the certificates of the TLS listener come from. */
export interface CertificateSource {
  /** For a client that names no server. */
  fallback(use?: CertificateUse): Promise<{ readonly key: string; readonly cert: string }>;
  forName(name: string, use?: CertificateUse): Promise<SecureContext>;
  /** A connection made for `name` may ask for `host` as well; both in lower case. */
  covers(name: string, host: string): boolean;
  /** Clients that come for this host are asked for a certificate. */
  asksClients(name: string, use?: CertificateUse): boolean;
  /** Authorities are about to look whether hosts are ours. */
  readonly proves: boolean;
  /** What they are shown for a host. */
  proofFor(name: string): { readonly key: string; readonly cert: string } | undefined;
  /** 48 bytes that session tickets are made with; undefined: the listener makes its own. */
  readonly ticketKey: Buffer | undefined;
  /** What `fallback` or `ticketKey` gives is another one now. */
  onChange(listener: () => void): void;
}

/** Listens for plain connections. Throws PortInUse. */
export async function listenPlain(
  place: ListenWhere,
  shared: SharedByWires,
  onAccepted: Accepted,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.on('connection', (socket) => onAccepted((user) => streamWire(socket, user)));
  await listen(server, place);
  takeHandles(server, (handle) => onAccepted((user) => acceptedWire(handle, shared, user)));
  return server;
}

/** Listens for TLS 1.2 and 1.3 connections. `onHttp2` gets those that agree on HTTP/2. Throws PortInUse. */
export async function listenTls(
  place: ListenTlsWhere,
  certificates: CertificateSource,
  takers: TlsTakers,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  let tls: Promise<Server> | undefined;
  const challenges = new ChallengeServer((host) => certificates.proofFor(host));
  const take = (socket: Socket) => {
    tls ??= createTls(place, certificates, takers);
    tls.then(
      (ready) => ready.emit('connection', socket),
      () => {
        tls = undefined;
        socket.destroy();
      },
    );
  };
  const begin = (socket: Socket) => {
    if (certificates.proves) challenges.look(socket, take);
    else take(socket);
  };
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    takers.before(
      socket,
      (user) => streamWire(socket, user),
      () => begin(socket),
    );
  });
  await listen(server, place);
  return server;
}

/** Made with the first connection: node:tls and the fallback's certificate cost memory that an idle edge need not spend. */
async function createTls(
  place: ListenTlsWhere,
  certificates: CertificateSource,
  { onAccepted, onHttp2, onFailed }: TlsTakers,
): Promise<Server> {
  const { createServer: createTlsServer } = await import('node:tls');
  const server = createTlsServer({
    ...(await certificates.fallback(place.use?.())),
    ...listenOptions(place, certificates),
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: 10_000,
    SNICallback(this: unknown, name, done) {
      const use = place.use?.();
      if (certificates.asksClients(name, use)) askForCertificate(this);
      certificates.forName(name, use).then((context) => done(null, context), done);
    },
  });
  const refresh = () => {
    certificates.fallback(place.use?.()).then(
      (pair) => server.setSecureContext({ ...pair, ...listenOptions(place, certificates) }),
      () => {},
    );
  };
  certificates.onChange(refresh);
  place.onReady?.(refresh);
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') onHttp2(socket);
    else onAccepted((user) => streamWire(socket, user), socket);
  });
  server.on('tlsClientError', (_error, socket) => {
    onFailed();
    socket.destroy();
  });
  return server;
}

/** Tickets are of the listener, whichever certificate is chosen (SSL_CTX of the first hello). */
function listenOptions({ minTls = () => '1.2' }: ListenTlsWhere, { ticketKey }: CertificateSource) {
  return {
    ...contextOptions,
    minVersion: `TLSv${minTls()}` as const,
    sessionIdContext: 'weir',
    ...(ticketKey === undefined ? {} : { ticketKeys: ticketKey }),
  };
}

/** The port a server really got. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function listen(server: Server, place: ListenWhere): Promise<void> {
  const { address, port, handle } = place;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  if (handle === undefined) server.listen({ host: address, port, backlog }, resolve);
  else server.listen(handle, backlog, resolve);
  try {
    await promise;
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE') throw new PortInUse(place, { cause: error });
    throw new WeirError(
      'WEIR_CANNOT_LISTEN',
      `Cannot listen on ${address} port ${port}: ${errorCode(error)}`,
      { cause: error },
    );
  }
  server.off('error', reject);
  server.on('error', () => {});
}

/**
 * Takes new connections as bare handles, before net.Server makes sockets of them: only a socket made by ourselves can
 * read into the shared buffer. Where the runtime has no such handle, 'connection' goes on serving.
 */
function takeHandles(server: Server, onHandle: (handle: object) => void): void {
  const listening: unknown = Reflect.get(server, '_handle');
  if (typeof listening !== 'object' || listening === null) return;
  const more = moreHandles(listening);
  Reflect.set(listening, 'onconnection', (error: number, handle: object | undefined) => {
    let next = error === 0 ? handle : undefined;
    for (let n = 1; next !== undefined; n++) {
      onHandle(next);
      next = n < mostATurn ? more() : undefined;
    }
  });
}
