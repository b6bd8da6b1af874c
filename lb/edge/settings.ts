import type { Listener } from '../../core/model/listener.ts';

/** `file`: `-` is standard output. `share`: of the requests that do not end in 5xx, 0 to 1. */
export type AccessLogSettings = { readonly file: string; readonly share: number };

/** What carries the traffic. */
export type EngineName = 'builtin' | 'haproxy';

/** How the edge listens and how long it waits. All times are milliseconds. */
export type EdgeSettings = {
  readonly engine: EngineName;
  /** Address to listen on. */
  readonly address: string;
  /** 0: any free port; undefined: do not listen. */
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  /** What clients must speak at least. */
  readonly minTls: '1.2' | '1.3';
  /** Address ranges (`10.0.0.0/8`) whose X-Forwarded-* and X-Request-Id fields are believed. */
  readonly trustedProxies: readonly string[];
  /** Address ranges of proxies that begin each connection with a PROXY header. */
  readonly acceptProxy: readonly string[];
  readonly maxHeadBytes: number;
  readonly maxLineBytes: number;
  readonly maxFields: number;
  /** From the first byte of a head to its end. */
  readonly headMs: number;
  /** Between two requests on a client's connection. */
  readonly idleMs: number;
  /** Without progress of a request's content, or of a client that does not read. */
  readonly bodyMs: number;
  readonly connectMs: number;
  /** From the request's last byte to the answer's first. */
  readonly firstByteMs: number;
  /** Without progress of an answer's content. */
  readonly answerMs: number;
  /** Upper bound for an unused connection to an endpoint; below the 5 s after which common servers close theirs. */
  readonly upstreamIdleMs: number;
  readonly tunnelMs: number;
  /** How long an endpoint that joins others takes to get its whole share of requests; 0: none. */
  readonly slowStartMs: number;
  /** How long an upgraded connection may go on after its route was deleted. */
  readonly drainMs: number;
  /** Undefined: requests are not written anywhere. */
  readonly accessLog: AccessLogSettings | undefined;
  /** How long requests in flight may go on after `stop`. */
  readonly stopMs: number;
};

export const defaultSettings: EdgeSettings = {
  engine: 'builtin',
  address: '127.0.0.1',
  httpPort: 8000,
  httpsPort: undefined,
  minTls: '1.2',
  trustedProxies: [],
  acceptProxy: [],
  maxHeadBytes: 32_768,
  maxLineBytes: 16_384,
  maxFields: 128,
  headMs: 10_000,
  idleMs: 75_000,
  bodyMs: 60_000,
  connectMs: 3_000,
  firstByteMs: 60_000,
  answerMs: 300_000,
  upstreamIdleMs: 4_000,
  tunnelMs: 3_600_000,
  accessLog: undefined,
  slowStartMs: 10_000,
  drainMs: 300_000,
  stopMs: 1_000,
};

/** The listeners that an edge is started with; their ids are no names that an operator can give. */
export function fixedListeners({
  address,
  httpPort,
  httpsPort,
  acceptProxy,
}: EdgeSettings): readonly Listener[] {
  const options = acceptProxy.length === 0 ? {} : { options: { acceptProxy } };
  const place = (protocol: 'http' | 'https', port: number | undefined): readonly Listener[] =>
    port === undefined ? [] : [{ id: `*${protocol}`, owner: 'edge', address, port, protocol, ...options }];
  return [...place('http', httpPort), ...place('https', httpsPort)];
}
