import { availableParallelism, hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { systemClock } from '../../core/kit/clock.ts';
import { createLog, type LogLevel } from '../../core/kit/log.ts';
import type { PortRange } from '../../core/model/resources.ts';
import { joinSecretOption } from '../compose/join-secret.ts';
import { onReplaceEdge } from '../compose/replace-edge.ts';
import { credentialsOption } from '../options/api-options.ts';
import { wholeNumber } from '../options/numbers.ts';
import { defaults, kernelRanges, parseAttribute, parsePorts, parseUrls } from '../options/settings.ts';
import {
  edgeSettings,
  type TrafficFlags,
  trafficOptions,
  trafficSettings,
} from '../options/traffic-options.ts';
import { serve } from '../serve.ts';

type Options = TrafficFlags & {
  master: readonly string[];
  credentials?: string;
  joinSecret?: string;
  address: string;
  hostname: string;
  id?: string;
  data: string;
  edge?: true;
  edgeStays: number;
  runtime?: 'runc' | 'process';
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

async function run(options: Options): Promise<void> {
  const { composeAgent } = await import('../compose/agent.ts');
  const { machineFacts } = await import('../doctor/facts.ts');
  const { chooseBackends } = await import('../doctor/choose.ts');
  const facts = await machineFacts();
  const choices = chooseBackends(facts);
  const log = createLog({ level: options.logLevel });
  const { cpus, mem, gpus, joinSecret } = options;
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
      vipRange: options.vipRange ?? kernelRanges.vip,
      ...trafficSettings(options),
      attributes: options.attribute,
      resources: {
        ...(cpus === undefined ? {} : { cpus }),
        ...(mem === undefined ? {} : { mem }),
        ...(gpus === undefined ? {} : { gpus }),
      },
      ports: options.ports,
      ...(options.id === undefined ? {} : { id: options.id }),
      ...(options.scope === undefined ? {} : { scope: options.scope }),
      ...(facts.cni === undefined ? {} : { cniDir: facts.cni }),
      ...(options.edge
        ? { edge: { ...edgeSettings(options, availableParallelism()), staysMs: options.edgeStays * 1_000 } }
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

/** A master runs on this machine: names such as leader.mesos lead here. */
function isHere({ master, address }: Options): boolean {
  return master.some((url) => {
    const { hostname } = new URL(url);
    return hostname === address || hostname === 'localhost' || hostname.startsWith('127.');
  });
}
