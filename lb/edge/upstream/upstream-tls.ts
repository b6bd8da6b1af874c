import { isIP } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { UpstreamTls } from '../../../core/model/route.ts';
import type { PoolEndpoint } from '../routes/route-table.ts';
import { streamWire, type Wire, type WireUser } from '../wire/wire.ts';
import type { UpstreamContext } from './upstream-context.ts';

export type TlsDial = {
  readonly endpoint: Pick<PoolEndpoint, 'address' | 'port'>;
  readonly tls: UpstreamTls;
  readonly connected: () => void;
  /** Which link is broken, for people; the connection ends. */
  readonly failed: (why: string) => void;
  /** Sent before TLS begins. */
  readonly preamble: string;
};

type CertificateContext = Pick<UpstreamContext, 'certificate'>;

/** A connection over TLS to an endpoint: who it is has been verified when `connected` is called. */
export function tlsWire(context: UpstreamContext, user: WireUser, dial: TlsDial): Wire {
  return streamWire(tlsSocket(context, dial, 'http/1.1'), user);
}

/** The same as a socket, for who speaks this protocol there. One that agrees on another for HTTP/2 is let go. */
export function tlsSocket(
  context: CertificateContext,
  dial: TlsDial,
  protocol: 'http/1.1' | 'h2',
): TLSSocket {
  // Loaded by the first that needs it, at once: an edge without TLS stays small.
  const net = process.getBuiltinModule('node:net');
  const { connect } = process.getBuiltinModule('node:tls');
  const { address, port } = dial.endpoint;
  const plain = net.connect({ host: address, port, noDelay: true });
  if (dial.preamble !== '') plain.write(dial.preamble, 'latin1');
  const socket = connect({ socket: plain, ...optionsOf(context, dial), ALPNProtocols: [protocol] });
  let reached = false;
  plain.once('connect', () => {
    reached = true;
  });
  // The inner socket's end is not always the outer's: one that cannot be reached must not wait for its deadline.
  plain.once('error', () => socket.destroy());
  socket.once('error', (error) => dial.failed(whyNot(error, { reached, ...dial })));
  socket.once('secureConnect', () => {
    if (protocol === 'http/1.1' || socket.alpnProtocol === protocol) return dial.connected();
    dial.failed('it does not speak HTTP/2 over TLS (ALPN)');
    socket.destroy();
  });
  return socket;
}

function optionsOf({ certificate }: CertificateContext, { tls, endpoint }: TlsDial): ConnectionOptions {
  const { authorities, serverName, insecure } = tls;
  const pair = tls.certificate === undefined ? undefined : certificate?.(tls.certificate);
  return {
    // What is verified where no name is given: the address itself.
    host: serverName ?? endpoint.address,
    ...(serverName !== undefined && isIP(serverName) === 0 && { servername: serverName }),
    ...(authorities !== undefined && { ca: authorities }),
    ...(pair && { key: pair.key, cert: pair.chain }),
    rejectUnauthorized: insecure !== true,
    minVersion: 'TLSv1.2',
  };
}

function whyNot(
  error: Error & { readonly code?: string },
  { reached, tls, endpoint }: Pick<TlsDial, 'tls' | 'endpoint'> & { readonly reached: boolean },
): string {
  const { code = '', message } = error;
  if (!reached) return `it did not take the connection (${code})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is not for ${tls.serverName ?? endpoint.address}`;
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (/^(DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    const known = tls.authorities === undefined ? 'the system knows' : 'the route names';
    return `its certificate is not signed by an authority that ${known} (${code})`;
  }
  if (/certificate.required|bad.certificate|unknown.ca|handshake.failure/i.test(message))
    return `it refused TLS, perhaps for our certificate: ${message.trim()}`;
  return `no TLS connection could be made: ${code === '' ? message : code}`;
}
