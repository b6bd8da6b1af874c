import { createServer } from 'node:tls';
import type { ListenAddress } from '../../core/kit/listen.ts';
import type { Respond } from '../respond.ts';
import { listening, OpenConnections, serveStream, type TcpLimits } from '../tcp.ts';
import type { Credentials, SecureSocket } from './socket.ts';

/** Longer than any honest handshake. */
const handshakeMs = 5_000;

/** DNS over TLS (RFC 7858). Throws PortInUse or CannotListen. */
export async function openTls(
  at: ListenAddress,
  respond: Respond,
  { credentials, limits }: { credentials: Credentials; limits: TcpLimits },
): Promise<SecureSocket> {
  const open = new OpenConnections(limits.connections);
  const server = createServer({
    ...credentials,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['dot'],
    handshakeTimeout: handshakeMs,
    allowHalfOpen: true,
  });
  // counted from its first byte on: a handshake that never ends is a connection too
  server.on('connection', (socket) => open.add(socket));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    serveStream(socket, { open, respond, transport: 'tls' }, limits);
  });
  const opened = await listening(server, at, open);
  return { ...opened, renew: (next) => server.setSecureContext({ ...next, minVersion: 'TLSv1.2' }) };
}
