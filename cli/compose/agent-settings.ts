import type { PortRange, Resources } from '../../core/model/resources.ts';
import type { DnsSettings } from '../../dns/settings.ts';
import type { AccessLogSettings, EngineName } from '../../lb/edge/settings.ts';

export type Address = { readonly address: string; readonly port: number };

export type AgentSettings = {
  /** URLs of masters; the first one that answers is talked to, whoever leads. At least one. */
  readonly masters: readonly string[];
  /** `user:password`, where the API asks for them. */
  readonly credentials?: string;
  /** What an edge proves itself with; absent: what is in the data folder. */
  readonly joinSecret?: () => string | undefined;
  readonly isMaster: boolean;
  /** Made and kept in the data folder when absent. */
  readonly id?: string;
  readonly hostname: string;
  readonly address: string;
  readonly dataDir: string;
  readonly runtime: 'runc' | 'process';
  readonly vip: 'ebpf' | 'nftables' | 'userspace';
  readonly vipRange: string;
  /** Absent: named VIPs have IPv4 addresses only. */
  readonly vipRange6?: string;
  /** Folder of the CNI plugins; absent: container networks only by backends that need none. */
  readonly cniDir?: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly resources: Partial<Resources>;
  readonly ports: PortRange;
  /** Name of this agent's containers in the kernel (control groups, namespaces); absent: made from the data folder. */
  readonly scope?: string;
  readonly dns: Address;
  readonly dnsHttp: Address;
  readonly dcosHttp: Address;
  /** Where names outside the cluster are asked; none: they are refused. */
  readonly resolvers: readonly Address[];
  readonly dnsSettings?: DnsSettings | undefined;
  /** Absent: no edge here. */
  readonly edge?: {
    readonly http: Address;
    readonly https?: Address;
    /** How long it goes on without its agent; absent or 0: it ends with it. */
    readonly staysMs?: number;
    readonly minTls?: '1.2' | '1.3';
    readonly accessLog?: AccessLogSettings | undefined;
    /** Processes that carry requests; default 1. */
    readonly workers?: number;
    /** Ranges of proxies that begin each connection to HTTP and HTTPS with a PROXY header. */
    readonly acceptProxy?: readonly string[];
    /** Default `builtin`. */
    readonly engine?: EngineName;
    /** Its statistics, as marathon-lb has them on port 9090; absent: nowhere. */
    readonly stats?: Address;
  };
};
