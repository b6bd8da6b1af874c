import { isIP, type Socket } from 'node:net';
import type { PolicyAnswer } from '../request/policy-answer.ts';

/** Which hosts a connection may ask for (RFC 9110 §7.4), by the name of its hello; names in lower case. */
export type ServedTogether = (serverName: string, host: string) => boolean;

const misdirected: PolicyAnswer = {
  status: 421,
  text: 'This connection is not for this host: ask on another one.',
  why: 'misdirected',
};

/** The name in the client's hello, in lower case; undefined: it named none, or speaks no TLS. */
export function serverNameOf(socket: Socket): string | undefined {
  const name: unknown = 'servername' in socket ? socket.servername : undefined;
  // Some clients name an address, which is no host name (RFC 6066 §3).
  return typeof name === 'string' && name !== '' && isIP(name) === 0 ? name.toLowerCase() : undefined;
}

/**
 * Clients of HTTP/2 ask for other hosts on a connection whose certificate is for these too. It ends where the certificate does, or
 * where another connection would ask the client for one. A proxy that we trust speaks for many hosts by one name.
 */
export function misdirection(
  { serverName, trusted }: { readonly serverName?: string; readonly trusted: boolean },
  host: string | undefined,
  servedTogether: ServedTogether,
): PolicyAnswer | undefined {
  if (serverName === undefined || host === undefined || host === serverName || trusted) return undefined;
  return servedTogether(serverName, host) ? undefined : misdirected;
}
