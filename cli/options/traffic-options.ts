import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { DnsSettings } from '../../dns/settings.ts';
import type { AccessLogSettings, EngineName } from '../../lb/edge/settings.ts';
import type { Address, AgentSettings } from '../compose/agent-settings.ts';
import { UsageError } from '../usage-error.ts';
import { parseDnsSettings } from './dns-settings.ts';
import { atLeastOne } from './numbers.ts';
import {
  dcosRanges,
  defaults,
  kernelRanges,
  parseAddress,
  parseRanges,
  parseResolver,
  parseShare,
  parseVipRange,
  parseVipRange6,
} from './settings.ts';

export type TrafficFlags = {
  http: Address;
  https: Address;
  minTls: '1.2' | '1.3';
  accessLog?: string;
  accessLogShare: number;
  edgeEngine: EngineName;
  edgeWorkers?: number;
  acceptProxy: readonly string[];
  edgeStats: Address;
  dns: Address;
  dnsHttp: Address;
  dcosHttp: Address;
  resolver: readonly Address[];
  dnsSettings?: DnsSettings;
  vip?: AgentSettings['vip'];
  vipRange?: string;
  vipRange6?: string;
};

/** Options that `agent` and `dev` share. */
export function trafficOptions(command: Command): Command {
  const address = (flag: string, what: string, env: string, text: string) =>
    new Option(`${flag} <host:port>`, what)
      .env(env)
      .default(parseAddress(text), text)
      .argParser(parseAddress);
  return command
    .addOption(address('--http', 'edge, HTTP', 'WEIR_HTTP', defaults.http))
    .addOption(address('--https', 'edge, HTTPS', 'WEIR_HTTPS', defaults.https))
    .addOption(
      new Option('--min-tls <version>', 'edge, HTTPS: what clients must speak at least')
        .env('WEIR_MIN_TLS')
        .choices(['1.2', '1.3'])
        .default('1.2'),
    )
    .addOption(
      new Option(
        '--access-log <file>',
        'a line of JSON for each request at the edge; -: standard output',
      ).env('WEIR_ACCESS_LOG'),
    )
    .addOption(
      new Option('--access-log-share <share>', 'of the requests, 0 to 1; answers of 5xx are always written')
        .env('WEIR_ACCESS_LOG_SHARE')
        .default(1)
        .argParser(parseShare),
    )
    .addOption(
      new Option('--edge-engine <name>', 'what carries public requests; haproxy has to be installed')
        .env('WEIR_EDGE_ENGINE')
        .choices(['builtin', 'haproxy'])
        .default('builtin'),
    )
    .addOption(
      new Option(
        '--edge-workers <n>',
        'processes that carry public requests; default: weir agent one for each core, weir dev 1',
      )
        .env('WEIR_EDGE_WORKERS')
        .argParser(atLeastOne),
    )
    .addOption(
      address(
        '--edge-stats',
        "edge: statistics and marathon-lb's other pages",
        'WEIR_EDGE_STATS',
        defaults.edgeStats,
      ),
    )
    .addOption(
      new Option(
        '--accept-proxy <range>',
        'edge: proxies (address or CIDR) that begin each connection with a PROXY header; may be repeated',
      )
        .env('WEIR_ACCEPT_PROXY')
        .default([])
        .argParser(parseRanges),
    )
    .addOption(address('--dns', 'resolver, UDP and TCP', 'WEIR_DNS', defaults.dns))
    .addOption(address('--dns-http', 'Mesos-DNS HTTP API', 'WEIR_DNS_HTTP', defaults.dnsHttp))
    .addOption(address('--dcos-http', 'DC/OS DNS HTTP API', 'WEIR_DCOS_HTTP', defaults.dcosHttp))
    .addOption(
      new Option(
        '--resolver <host:port>',
        'where names outside the cluster are asked; may be repeated; default: refused',
      )
        .env('WEIR_RESOLVER')
        .default([])
        .argParser(parseResolver),
    )
    .addOption(
      new Option(
        '--dns-settings <file>',
        'JSON: records, upstreams, cache, …; a Mesos-DNS configuration is one',
      )
        .env('WEIR_DNS_SETTINGS')
        .argParser(parseDnsSettings),
    )
    .addOption(
      new Option('--vip <name>', 'default: the best this machine can do')
        .env('WEIR_VIP')
        .choices(['ebpf', 'nftables', 'userspace']),
    )
    .addOption(
      new Option(
        '--vip-range <cidr>',
        `virtual addresses, the same at masters and agents; dcos: ${dcosRanges.vip}; default: ${kernelRanges.vip}`,
      )
        .env('WEIR_VIP_RANGE')
        .argParser(parseVipRange),
    )
    .addOption(
      new Option(
        '--vip-range6 <prefix>',
        `IPv6 ones; dcos: ${dcosRanges.vip6}; default: names get IPv4 addresses only`,
      )
        .env('WEIR_VIP_RANGE6')
        .argParser(parseVipRange6),
    );
}

export type TrafficSettings = Pick<
  AgentSettings,
  'dns' | 'dnsHttp' | 'dcosHttp' | 'resolvers' | 'dnsSettings' | 'vipRange6'
>;

/** Names and virtual IPs as the flags say; `vip` and its range may be left to who knows the machine. */
export function trafficSettings(flags: TrafficFlags): TrafficSettings {
  const { dns, dnsHttp, dcosHttp, resolver: resolvers, dnsSettings, vipRange6 } = flags;
  return {
    dns,
    dnsHttp,
    dcosHttp,
    resolvers,
    dnsSettings,
    ...(vipRange6 === undefined ? {} : { vipRange6 }),
  };
}

/** The edge as the flags say; `usual`: its workers where they do not. HAProxy is one process, whatever it carries. */
export function edgeSettings(flags: TrafficFlags, usual: number) {
  const { http, https, minTls, edgeEngine: engine, acceptProxy, edgeStats: stats } = flags;
  const workers = flags.edgeWorkers ?? (engine === 'haproxy' ? 1 : usual);
  if (engine === 'haproxy' && workers > 1)
    throw new UsageError('--edge-workers must be 1 with --edge-engine haproxy, which is one process');
  return { http, https, minTls, engine, workers, acceptProxy, stats, accessLog: accessLogOf(flags) };
}

/** Undefined: nobody asked for one. */
function accessLogOf({ accessLog, accessLogShare: share }: TrafficFlags): AccessLogSettings | undefined {
  return accessLog === undefined ? undefined : { file: accessLog === '-' ? '-' : resolve(accessLog), share };
}
