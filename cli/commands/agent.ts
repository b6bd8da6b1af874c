import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { systemClock } from '../../core/kit/clock.ts';
import { createLog, type LogLevel } from '../../core/kit/log.ts';
import type { PortRange } from '../../core/model/resources.ts';
import type { DnsSettings } from '../../dns/settings.ts';
import type { AccessLogSettings, EngineName } from '../../lb/edge/settings.ts';
import type { Address } from '../compose/agent-settings.ts';
import { joinSecretOption } from '../compose/join-secret.ts';
import { onReplaceEdge } from '../compose/replace-edge.ts';
import { credentialsOption } from '../options/api-options.ts';
import { parseDnsSettings } from '../options/dns-settings.ts';
import { wholeNumber } from '../options/numbers.ts';
import {
  defaults,
  kernelRanges,
  parseAddress,
  parseAttribute,
  parsePorts,
  parseRanges,
  parseResolver,
  parseShare,
  parseUrls,
  parseVipRange,
  parseVipRange6,
} from '../options/settings.ts';
import { serve } from '../serve.ts';

type Options = {
  master: readonly string[];
  credentials?: string;
  joinSecret?: string;
  address: string;
  hostname: string;
  id?: string;
  data: string;
  edge?: true;
  edgeStays: number;
  http: Address;
  https: Address;
  minTls: '1.2' | '1.3';
  accessLog?: string;
  accessLogShare: number;
  edgeEngine: EngineName;
  acceptProxy: readonly string[];
  edgeStats: Address;
  dns: Address;
  dnsHttp: Address;
  dcosHttp: Address;
  resolver: readonly Address[];
  dnsSettings?: DnsSettings;
  runtime?: 'runc' | 'process';
  vip?: 'ebpf' | 'nftables' | 'userspace';
  vipRange: string;
  vipRange6?: string;
  attribute: Readonly<Record<string, string>>;
  cpus?: number;
  gpus?: number;
  mem?: number;
  ports: PortRange;
  scope?: string;
  logLevel: LogLevel;
};

export function register(program: Command): void {
  const agent = program
    .command('agent')
    .description('run one machine: containers, networks, names, virtual IPs, and with --edge public routes')
    .addOption(
      new Option('--master <url,…>', 'the API of a master, or of several')
        .env('WEIR_MASTER')
        .default(['http://127.0.0.1:8080'], 'http://127.0.0.1:8080')
        .argParser(parseUrls),
    )
    .addOption(credentialsOption('for an API that asks for them'))
    .addOption(
      joinSecretOption("with --edge: the master's, to be told keys; default: join-secret in the data folder"),
    )
    .addOption(
      new Option('--address <ip>', 'IPv4 address that other machines reach this one at')
        .env('WEIR_ADDRESS')
        .default('127.0.0.1'),
    )
    .addOption(new Option('--hostname <name>').env('WEIR_HOSTNAME').default(hostname()))
    .addOption(new Option('--id <id>', 'default: made once and kept in the data folder').env('WEIR_AGENT_ID'))
    .addOption(
      new Option('--data <dir>', 'folder for everything that is kept')
        .env('WEIR_DATA')
        .default(defaults.data),
    )
    .addOption(
      new Option('--runtime <name>', 'default: the best this machine can do')
        .env('WEIR_RUNTIME')
        .choices(['runc', 'process']),
    )
    .addOption(
      new Option('--attribute <key=value>', 'for placement constraints; may be repeated')
        .default({})
        .argParser(parseAttribute),
    )
    .addOption(new Option('--cpus <n>', 'cores to offer').env('WEIR_CPUS').argParser(Number))
    .addOption(new Option('--mem <mib>', 'memory to offer').env('WEIR_MEM').argParser(Number))
    .addOption(
      new Option('--gpus <n>', 'graphics processors to offer').env('WEIR_GPUS').argParser(wholeNumber),
    )
    .addOption(
      new Option('--ports <begin-end>', 'host ports to offer')
        .env('WEIR_PORTS')
        .default(parsePorts(defaults.ports), defaults.ports)
        .argParser(parsePorts),
    );
  trafficOptions(agent)
    .option('--edge', 'carry public traffic here')
    .addOption(
      new Option(
        '--edge-stays <seconds>',
        'how long public traffic goes on while no agent runs, for the next one to take over; 0: it ends with the agent',
      )
        .env('WEIR_EDGE_STAYS')
        .default(Number(defaults.edgeStays), defaults.edgeStays)
        .argParser(wholeNumber),
    )
    .addOption(
      new Option(
        '--scope <name>',
        'name of its containers in the kernel; default: made from the data folder',
      ).env('WEIR_SCOPE'),
    )
    .addOption(
      new Option('--log-level <level>')
        .env('WEIR_LOG_LEVEL')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .action(run);
}

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
      new Option('--vip-range <cidr>', "the master's range of virtual addresses; dcos: 11.0.0.0/8")
        .env('WEIR_VIP_RANGE')
        .default(kernelRanges.vip)
        .argParser(parseVipRange),
    )
    .addOption(
      new Option('--vip-range6 <prefix>', "the master's IPv6 range, if it has one; dcos: fd01:c::/64")
        .env('WEIR_VIP_RANGE6')
        .argParser(parseVipRange6),
    );
}

async function run(options: Options): Promise<void> {
  const { composeAgent } = await import('../compose/agent.ts');
  const { machineFacts } = await import('../doctor/facts.ts');
  const { chooseBackends } = await import('../doctor/choose.ts');
  const facts = await machineFacts();
  const choices = chooseBackends(facts);
  const log = createLog({ level: options.logLevel });
  const { cpus, mem, gpus, http, https, joinSecret } = options;
  const agent = await composeAgent(
    {
      masters: options.master,
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
      ...(joinSecret === undefined ? {} : { joinSecret: () => joinSecret }),
      isMaster: isHere(options),
      hostname: options.hostname,
      address: options.address,
      dataDir: options.data,
      runtime: options.runtime ?? choices.runtime.value,
      vip: options.vip ?? choices.vip.value,
      vipRange: options.vipRange,
      ...(options.vipRange6 === undefined ? {} : { vipRange6: options.vipRange6 }),
      attributes: options.attribute,
      resources: {
        ...(cpus === undefined ? {} : { cpus }),
        ...(mem === undefined ? {} : { mem }),
        ...(gpus === undefined ? {} : { gpus }),
      },
      ports: options.ports,
      dns: options.dns,
      dnsHttp: options.dnsHttp,
      dcosHttp: options.dcosHttp,
      resolvers: options.resolver,
      dnsSettings: options.dnsSettings,
      ...(options.id === undefined ? {} : { id: options.id }),
      ...(options.scope === undefined ? {} : { scope: options.scope }),
      ...(facts.cni === undefined ? {} : { cniDir: facts.cni }),
      ...(options.edge
        ? {
            edge: {
              http,
              https,
              minTls: options.minTls,
              accessLog: accessLogOf(options),
              engine: options.edgeEngine,
              acceptProxy: options.acceptProxy,
              staysMs: options.edgeStays * 1_000,
              stats: options.edgeStats,
            },
          }
        : {}),
    },
    { clock: systemClock, log },
  );
  // Rotating tools send it; the file is begun anew without.
  if (options.accessLog !== undefined) process.on('SIGHUP', () => {});
  onReplaceEdge(agent, log);
  await serve(agent, {
    log,
    ready: () => log.info('agent serves', { hostname: options.hostname, address: options.address }),
  });
}

/** Undefined: nobody asked for one. */
export function accessLogOf(options: {
  readonly accessLog?: string;
  readonly accessLogShare: number;
}): AccessLogSettings | undefined {
  const { accessLog, accessLogShare: share } = options;
  return accessLog === undefined ? undefined : { file: accessLog === '-' ? '-' : resolve(accessLog), share };
}

/** A master runs on this machine: names such as leader.mesos lead here. */
function isHere({ master, address }: Options): boolean {
  return master.some((url) => {
    const { hostname } = new URL(url);
    return hostname === address || hostname === 'localhost' || hostname.startsWith('127.');
  });
}
