import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type ListenAddress, listenError } from '../core/kit/listen.ts';
import type { Client } from './handler.ts';
import type { Respond } from './respond.ts';
import type { OpenSocket } from './sockets.ts';
import { type ConnectionLimits, serveConnection } from './tcp-connection.ts';

export type TcpLimits = ConnectionLimits & {
  /** Open at once. For one more, the one of the busiest address that has been quiet longest is closed (RFC 7766 §6.2.3). */
  readonly connections: number;
};

/** Listens for DNS over TCP. Throws PortInUse or CannotListen. */
export async function openTcp(at: ListenAddress, respond: Respond, limits: TcpLimits): Promise<OpenSocket> {
  const open = new OpenConnections(limits.connections);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open.add(socket);
    serveStream(socket, { open, respond, transport: 'tcp' }, limits);
  });
  return listening(server, at, open);
}

type StreamParts = {
  readonly open: OpenConnections;
  readonly respond: Respond;
  readonly transport: Client['transport'];
};

/** Answers on a connection that `open` knows. */
export function serveStream(socket: Socket, parts: StreamParts, limits: ConnectionLimits): void {
  const { open, respond, transport } = parts;
  serveConnection(socket, { respond, transport, onQuestion: () => open.used(socket) }, limits);
}

/** Connections in order of their last question. */
export class OpenConnections {
  readonly #most: number;
  readonly #open = new Set<Socket>();
  readonly #byAddress = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  add(socket: Socket): void {
    if (this.#open.size >= this.#most) this.#makeRoom();
    const { remoteAddress = '' } = socket;
    this.#open.add(socket);
    this.#byAddress.set(remoteAddress, (this.#byAddress.get(remoteAddress) ?? 0) + 1);
    socket.on('close', () => {
      this.#open.delete(socket);
      const left = (this.#byAddress.get(remoteAddress) ?? 1) - 1;
      if (left === 0) this.#byAddress.delete(remoteAddress);
      else this.#byAddress.set(remoteAddress, left);
    });
  }

  used(socket: Socket): void {
    if (!this.#open.delete(socket)) return;
    this.#open.add(socket);
  }

  closeAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Who has the most gives one up: an address that opens many cannot drive out the others. */
  #makeRoom(): void {
    const most = Math.max(...this.#byAddress.values());
    for (const socket of this.#open) {
      if (this.#byAddress.get(socket.remoteAddress ?? '') !== most) continue;
      socket.destroy();
      return;
    }
    this.#open.values().next().value?.destroy();
  }
}

/** Has a server listen. Throws PortInUse or CannotListen. */
export async function listening(
  server: Server,
  at: ListenAddress,
  open: OpenConnections,
): Promise<OpenSocket> {
  try {
    server.listen({ host: at.address, port: at.port, ipv6Only: true, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    throw listenError(at, 'tcp', error);
  }
  // a connection that could not be accepted is not the server's end
  server.on('error', () => {});
  return { address: at.address, port: portOf(server, at), close: () => closed(server, open) };
}

function portOf(server: Server, at: ListenAddress): number {
  const bound = server.address();
  return bound !== null && typeof bound === 'object' ? bound.port : at.port;
}

function closed(server: Server, open: OpenConnections): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    open.closeAll();
  });
}
