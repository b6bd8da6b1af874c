import type { ServiceRef } from './route.ts';

/** How a listener's connections (`udp`: datagrams) are treated. `tls-passthrough`: by the server name of TLS that is not ended here. */
export type ListenerProtocol = 'http' | 'https' | 'tcp' | 'tls-passthrough' | 'udp';

/** A public place that every edge opens, beside those it was started with. */
export type Listener = {
  readonly id: string;
  /** Who declared it: `listener:<name>` (operator), `app:/shop/web` (labels), … */
  readonly owner: string;
  /** Numeric; absent: where the edge was told to serve HTTP. */
  readonly address?: string;
  /** 0: each edge takes a free one. */
  readonly port: number;
  readonly protocol: ListenerProtocol;
  /**
   * It serves the routes of this name only (`Route.table`); absent: http and https serve the routes that all share (those without a
   * table), the others those of the table named as the listener's id.
   */
  readonly table?: string;
  /** Open only while this service has an endpoint that takes traffic. */
  readonly whileServed?: ServiceRef;
  readonly options?: ListenerOptions;
};

export type ListenerOptions = {
  /** Addresses and ranges of proxies that begin each connection with a PROXY header; others are taken as they are. */
  readonly acceptProxy?: readonly string[];
  /** https; default `1.2`. */
  readonly minTls?: '1.2' | '1.3';
  /** https: names of certificates that are chosen from, the first for clients that name no host; default all. */
  readonly certificates?: readonly string[];
  /** Connections (udp: flows) at once on one edge worker; further ones are closed at once. */
  readonly maxConnections?: number;
  /** tcp, tls-passthrough, udp: without a byte either way; default 3600000, udp 60000. */
  readonly idleMs?: number;
};

/** What became of a listener on one edge. */
export type ListenerState = {
  readonly id: string;
  /** Where it is open, with the port it really got; absent while it is not. */
  readonly at?: { readonly address: string; readonly port: number };
  /** Why it is not: `port 80 is in use`. Absent when it is not wanted now (`whileServed`). */
  readonly problem?: string;
  /**
   * The kernel carries its connections; these instances see the edge's address instead of the client's. `except`: those that processes
   * carry all the same, and why.
   */
  readonly kernel?: { readonly masquerades: readonly string[]; readonly except?: string };
  /** Why the edge's processes carry them and not the kernel, where one could think so. */
  readonly because?: string;
};

/** The table of routes that a listener serves; undefined: the shared one. */
export function tableOf({
  id,
  protocol,
  table,
}: Pick<Listener, 'id' | 'protocol' | 'table'>): string | undefined {
  return table ?? (isHttp(protocol) ? undefined : id);
}

export function isHttp(protocol: ListenerProtocol): boolean {
  return protocol === 'http' || protocol === 'https';
}

/** Two listeners cannot both be open: same transport and port, and the addresses overlap. */
export function sharePlace(one: Listener, other: Listener): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  if ((one.protocol === 'udp') !== (other.protocol === 'udp')) return false;
  const [a, b] = [one.address, other.address];
  return a === b || isAny(a) || isAny(b);
}

/** Where the edge serves HTTP may be everywhere. */
function isAny(address: string | undefined): boolean {
  return address === undefined || address === '0.0.0.0' || address === '::';
}

/** For people: `tcp 0.0.0.0:5432`. */
export function placeText({
  address,
  port,
  protocol,
}: Pick<Listener, 'address' | 'port' | 'protocol'>): string {
  const host = address?.includes(':') ? `[${address}]` : (address ?? '*');
  return `${protocol} ${host}:${port}`;
}
