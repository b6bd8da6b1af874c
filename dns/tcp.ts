import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type ListenAddress, listenError } from '../core/kit/listen.ts';
import type { Respond } from './respond.ts';
import type { OpenSocket } from './sockets.ts';
import { type ConnectionLimits, serveConnection } from './tcp-connection.ts';

export type TcpLimits = ConnectionLimits & {
  /** Open at once. For one more, the one that has been quiet longest is closed (RFC 7766 §6.2.3). */
  readonly connections: number;
};

/** Listens for DNS over TCP. Throws PortInUse or CannotListen. */
export async function openTcp(at: ListenAddress, respond: Respond, limits: TcpLimits): Promise<OpenSocket> {
  // in order of their last question
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (open.size >= limits.connections) open.values().next().value?.destroy();
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    const onQuestion = () => {
      open.delete(socket);
      open.add(socket);
    };
    serveConnection(socket, { respond, onQuestion }, limits);
  });
  await listening(server, at);
  // a connection that could not be accepted is not the server's end
  server.on('error', () => {});
  return { address: at.address, port: portOf(server, at), close: () => closed(server, open) };
}

async function listening(server: Server, at: ListenAddress): Promise<void> {
  try {
    server.listen({ host: at.address, port: at.port, ipv6Only: true, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    throw listenError(at, 'tcp', error);
  }
}

function portOf(server: Server, at: ListenAddress): number {
  const bound = server.address();
  return bound !== null && typeof bound === 'object' ? bound.port : at.port;
}

function closed(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of open) socket.destroy();
  });
}
