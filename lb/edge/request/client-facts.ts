import type { X509Certificate } from 'node:crypto';
import type { BlockList, Socket } from 'node:net';
import { isIP } from 'node:net';
import { shownBy } from '../access/client-certificate.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { serverNameOf } from '../listeners/server-name.ts';
import type { ProxyEnds } from '../proxy/proxy-header.ts';
import { listed } from '../routes/route-policy.ts';
import { type ForwardedClient, valuesOf } from './forward.ts';
import type { PolicyRequest } from './policy-answer.ts';

/** What is known of a client before it asks anything. */
export type ClientFacts = ForwardedClient & {
  /** What it has shown, the same value each time; nobody has looked yet who signed it. Absent: it had no way to. */
  readonly certificate?: () => X509Certificate | undefined;
  /** The name in its hello, lower case. Absent: it named none, or speaks no TLS. */
  readonly serverName?: string;
  /** Of the table that its listener serves, when that is not the shared one (`scopeOf`). */
  readonly scope?: string;
  /** Where its connection comes from and went to, as its proxy says or as it is. Absent: nobody knows. */
  readonly ends?: () => ProxyEnds;
};

/** What the handshake of a client has told. */
export function tlsFacts(socket: Socket): Pick<ClientFacts, 'certificate' | 'serverName'> {
  const serverName = serverNameOf(socket);
  return { certificate: shownBy(socket), ...(serverName === undefined ? {} : { serverName }) };
}

export type Arrival = {
  /** As the socket says it; undefined: unknown. */
  readonly remoteAddress: string | undefined;
  readonly scheme: 'http' | 'https';
  readonly port: number;
  /** Of the listener's table (`scopeOf`); absent: of the shared one. */
  readonly scope?: string;
};

export function clientFacts(
  trustedProxies: BlockList,
  { remoteAddress, scheme, port, scope = '' }: Arrival,
): ClientFacts {
  const address = plainAddress(remoteAddress);
  const forwarded = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Port: ${port}\r\n`;
  return { address, scheme, port, trusted: listed(trustedProxies, address), scope, forwarded };
}

/** A request as policies see it. With a trusted proxy in front, scheme and address are those that it names. */
export function policyRequest(
  client: ClientFacts,
  head: RequestHead,
  httpsPort: number | undefined,
): PolicyRequest {
  const told = client.trusted ? valuesOf(head, 'x-forwarded-proto').toLowerCase() : '';
  const before = client.trusted ? valuesOf(head, 'x-forwarded-for') : '';
  return {
    scheme: told === 'https' || told === 'http' ? told : client.scheme,
    clientAddress: lastAddress(before) ?? client.address,
    hostText: head.host?.text ?? '',
    path: head.path,
    target: head.target,
    httpsPort,
  };
}

export function plainAddress(address = ''): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** The client as the nearest proxy saw it, with or without its port; undefined when it says nothing usable. */
function lastAddress(forwardedFor: string): string | undefined {
  const last = forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim();
  const [, four, six] = /^(?:([\d.]+):\d+|\[([^\]]+)\](?::\d+)?)$/.exec(last) ?? [];
  const address = plainAddress(four ?? six ?? last);
  return isIP(address) === 0 ? undefined : address;
}
