import type { CacheOptions } from './forward/cache.ts';
import type { Name } from './wire/types.ts';

/** What the zones are made with. Values every part of the resolver agrees on; plain data, sent to the worker as JSON. */
export type ZoneOptions = {
  /** The Mesos-DNS domain. */
  readonly mesosDomain: Name;
  /** Where apps have the name of their path, reversed. */
  readonly weirDomain: Name;
  readonly dcosDomain: Name;
  /** The framework part of Mesos-DNS and DC/OS names. */
  readonly framework: Name;
  /** Seconds, of every record. */
  readonly ttl: number;
  /** Seconds that "no such name" and "no such type" may be kept (RFC 2308). */
  readonly negativeTtl: number;
  /** The first that gives an address is used alone (dns.md §3.3). */
  readonly ipSources: readonly ('netinfo' | 'host')[];
  /** Ports of the SRV records `_leader`, `_framework` and `_slave`; absent: no such record. */
  readonly ports: { readonly master?: number; readonly framework?: number; readonly agent?: number };
  /** Labels of Mesos-DNS names are made by RFC 952: at most 24 characters, no digit first (dns.md §2.2). */
  readonly enforceRfc952: boolean;
  /** Of every SRV record of Mesos-DNS. */
  readonly srvWeight: number;
  /** What the SOA of our own zones says instead of Mesos-DNS's defaults (dns.md §8); names without trailing dot, times in seconds. */
  readonly soa?: SoaOptions;
  /** Addresses of the name servers' own names, `ns1.<mesosDomain>` and `ns.spartan`. */
  readonly nameserver: readonly string[];
  /** Address of this machine: `thisnode.<dcosDomain>`, and those that the public reaches it at. */
  readonly thisNode?: string;
  readonly publicAddresses: readonly string[];
  /** Addresses of `zk-1.zk` to `zk-5.zk`; none: those of the masters. */
  readonly zookeeper: readonly string[];
  /** Records that are there whatever runs. */
  readonly records: readonly StaticRecord[];
  /** Makes `<clusterId>.dcos.directory` another name of the DC/OS domain. */
  readonly clusterId?: string;
  /** Whether the Mesos-DNS HTTP API tells all names (`enumerate`, `axfr`). */
  readonly enumeration: boolean;
  /** What `/v1/config` of that API says beyond what these options say. */
  readonly told: Readonly<Record<string, unknown>>;
  /** IPv4 ranges whose reverse names are ours even where no record exists. */
  readonly reverse: readonly string[];
};

export type SoaOptions = {
  readonly mname?: Name;
  readonly rname?: Name;
  readonly refresh?: number;
  readonly retry?: number;
  readonly expire?: number;
  /** As long may "no such name" be kept. */
  readonly minimum?: number;
};

/** A record by configuration; `ttl` in seconds, by default that of all records. */
export type StaticRecord = { readonly name: Name; readonly ttl?: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR'; readonly target: Name }
  | { readonly type: 'TXT'; readonly text: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: Name;
    }
);

export const defaultZoneOptions: ZoneOptions = {
  mesosDomain: 'mesos',
  weirDomain: 'weir',
  dcosDomain: 'thisdcos.directory',
  framework: 'marathon',
  ttl: 5,
  negativeTtl: 1,
  ipSources: ['netinfo', 'host'],
  ports: {},
  enforceRfc952: false,
  srvWeight: 1,
  publicAddresses: [],
  zookeeper: [],
  records: [],
  nameserver: ['127.0.0.1'],
  enumeration: true,
  told: {},
  reverse: ['100.64.0.0/10'],
};

export type Upstream = { readonly address: string; readonly port: number };

/** Where questions outside our zones go. The longest matching zone wins; no upstream at all: they are refused. */
export type ForwardOptions = {
  readonly upstreams: readonly Upstream[];
  readonly zones: Readonly<Record<Name, readonly Upstream[]>>;
  /**
   * `order`: as they stand · `fastest`: the quickest first · `race`: the two quickest at once. Always: one that does not answer
   * comes last until it does again, and silence or failure of one means the next is asked.
   */
  readonly policy: 'order' | 'fastest' | 'race';
  /** For one try of one upstream. */
  readonly timeoutMs: number;
  /** Questions that wait for upstreams at once; for more it is SERVFAIL. */
  readonly mostInFlight: number;
  readonly cache: CacheOptions;
};

export const defaultForwardOptions: ForwardOptions = {
  upstreams: [],
  zones: {},
  policy: 'order',
  timeoutMs: 2_000,
  mostInFlight: 1_024,
  cache: { entries: 10_000, staleSeconds: 86_400 },
};

/** How much one network may be sent by UDP without a cookie: see RateLimit. */
export type RateLimitOptions = {
  /** Bytes out for a byte in. */
  readonly amplification: number;
  /** Bytes a second that are never counted against it. */
  readonly quietBytes: number;
};

/** The server's limits. */
export type ServerOptions = {
  /** The largest UDP reply in bytes, and what our OPT says we take: 512 to 4096. */
  readonly udpPayload: number;
  /** A TCP connection without a question for so long is closed. */
  readonly tcpIdleMs: number;
  readonly tcpConnections: number;
  /** Threads of the fast layer for each address; a core's worth of questions is some 200,000 a second. */
  readonly threads: number;
  /** Absent: no limit. */
  readonly rateLimit?: RateLimitOptions;
  /** Sixteen bytes in hexadecimal; servers with the same one take each other's cookies. Absent: made at the start. */
  readonly cookieSecret?: string;
  /** What the server says who it is (NSID, RFC 5001); absent: it does not say. */
  readonly identity?: string;
};

export const defaultServerOptions: ServerOptions = {
  udpPayload: 1232,
  tcpIdleMs: 10_000,
  tcpConnections: 256,
  threads: 1,
  rateLimit: { amplification: 1.95, quietBytes: 32_768 },
};
