import type { ServerHttp2Stream } from 'node:http2';
import type { EdgeContext } from '../context.ts';
import { Tunnel, type TunnelOptions } from '../request/tunnel.ts';
import type { Connection } from '../upstream/upstream.ts';
import { StreamPipe } from './stream-pipe.ts';

/** A stream that an endpoint has upgraded: its bytes are the other protocol's from now on (RFC 8441). */
export function streamTunnel(
  context: EdgeContext,
  [stream, upstream]: readonly [ServerHttp2Stream, Connection],
  options: TunnelOptions,
): Tunnel {
  const tunnel = new Tunnel(context, { client: new StreamPipe(stream), upstream }, options);
  stream.on('data', (bytes: Buffer) => tunnel.clientBytes(bytes, 0, bytes.length));
  stream.on('end', () => tunnel.clientEnded());
  return tunnel;
}
