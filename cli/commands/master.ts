import { type Command, Option } from 'commander';
import { systemClock } from '../../core/kit/clock.ts';
import { createLog, type LogLevel, type LogThreshold } from '../../core/kit/log.ts';
import type { Address } from '../compose/agent-settings.ts';
import { type ApiFlags, accessOf, accessOptions } from '../options/api-options.ts';
import { type LabelFlags, labelOptions, labelSettings } from '../options/label-options.ts';
import { wholeNumber } from '../options/numbers.ts';
import {
  defaults,
  kernelRanges,
  parseAddress,
  parseRange,
  parseSeconds,
  parseVipRange,
  parseVipRange6,
} from '../options/settings.ts';
import { serve } from '../serve.ts';

type Options = ApiFlags &
  LabelFlags & {
    api: Address;
    advertise?: Address;
    data: string;
    store?: string;
    vipRange: string;
    vipRange6?: string;
    networkRange: string;
    networkBackend: string;
    drainLimit: number;
    agentLost: number;
    maxRunningDeployments: number;
    allowOrigin: readonly string[];
    launchTimeout: number;
    placement: 'spread' | 'pack';
    gpuAgents: 'unrestricted' | 'restricted';
    region?: string;
    logLevel: LogLevel;
    waitForAcks: boolean;
  };

export function register(program: Command): void {
  labelOptions(accessOptions(program.command('master')))
    .description('run the control plane: state, scheduler and API')
    .addOption(
      new Option('--api <host:port>', 'where the API listens')
        .env('WEIR_API')
        .default(parseAddress(defaults.api), defaults.api)
        .argParser(parseAddress),
    )
    .addOption(
      new Option('--advertise <host:port>', 'where others reach this API; default: where it listens')
        .env('WEIR_ADVERTISE')
        .argParser(parseAddress),
    )
    .addOption(
      new Option('--data <dir>', 'folder for everything that is kept')
        .env('WEIR_DATA')
        .default(defaults.data),
    )
    .addOption(
      new Option(
        '--store <url>',
        'redis://HOST:PORT or consul://HOST:PORT, shared by several masters; default: SQLite in the data folder',
      ).env('WEIR_STORE'),
    )
    .addOption(
      new Option('--vip-range <cidr>', 'virtual addresses are taken from here; dcos: 11.0.0.0/8')
        .env('WEIR_VIP_RANGE')
        .default(kernelRanges.vip)
        .argParser(parseVipRange),
    )
    .addOption(
      new Option('--vip-range6 <prefix>', 'names get IPv6 addresses too, from here; dcos: fd01:c::/64')
        .env('WEIR_VIP_RANGE6')
        .argParser(parseVipRange6),
    )
    .addOption(
      new Option('--network-range <cidr>', 'range of the default container network')
        .env('WEIR_NETWORK_RANGE')
        .default(kernelRanges.network)
        .argParser(parseRange),
    )
    .addOption(
      new Option('--network-backend <name>', 'how its packets travel')
        .env('WEIR_NETWORK_BACKEND')
        .choices(['vxlan', 'host-gw', 'loopback'])
        .default('vxlan'),
    )
    .addOption(
      new Option('--drain-limit <seconds>', 'a drain ends after this long even with requests in flight')
        .env('WEIR_DRAIN_LIMIT')
        .default(parseSeconds(defaults.drainLimit), defaults.drainLimit)
        .argParser(parseSeconds),
    )
    .addOption(
      new Option('--agent-lost <seconds>', 'a silent agent is given up after this long')
        .env('WEIR_AGENT_LOST')
        .default(parseSeconds(defaults.agentLost), defaults.agentLost)
        .argParser(parseSeconds),
    )
    .addOption(
      new Option('--max-running-deployments <n>', 'a change beyond so many deployments is refused')
        .env('WEIR_MAX_RUNNING_DEPLOYMENTS')
        .default(wholeNumber(defaults.mostDeployments), defaults.mostDeployments)
        .argParser(wholeNumber),
    )
    .addOption(
      new Option('--allow-origin <origin...>', 'pages from there may read the API (CORS); * for all')
        .env('WEIR_ALLOW_ORIGIN')
        .default([]),
    )
    .addOption(
      new Option(
        '--launch-timeout <seconds>',
        'an instance that does not run this long after its launch is launched anew',
      )
        .env('WEIR_LAUNCH_TIMEOUT')
        .default(parseSeconds(defaults.launchTimeout), defaults.launchTimeout)
        .argParser(parseSeconds),
    )
    .addOption(
      new Option(
        '--placement <ranking>',
        'spread instances over the agents, or pack one agent after the other',
      )
        .env('WEIR_PLACEMENT')
        .choices(['spread', 'pack'])
        .default('spread'),
    )
    .addOption(
      new Option('--gpu-agents <use>', 'restricted: agents with gpus are kept for apps that want some')
        .env('WEIR_GPU_AGENTS')
        .choices(['unrestricted', 'restricted'])
        .default('unrestricted'),
    )
    .addOption(
      new Option('--region <name>', 'apps without a constraint on @region or @zone stay on agents of it').env(
        'WEIR_REGION',
      ),
    )
    .addOption(
      new Option('--log-level <level>')
        .env('WEIR_LOG_LEVEL')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(
      new Option(
        '--no-wait-for-acks',
        'stop drained instances at once (for tests that must fail)',
      ).hideHelp(),
    )
    .action(async (options: Options) => {
      const { composeMaster } = await import('../compose/master.ts');
      const logThreshold: LogThreshold = { level: options.logLevel };
      const log = createLog({ threshold: logThreshold });
      const master = await composeMaster(
        {
          api: options.api,
          ...(options.advertise === undefined ? {} : { advertise: options.advertise }),
          ...accessOf(options),
          dataDir: options.data,
          ...(options.store === undefined ? {} : { store: options.store }),
          onLeadershipLost: () => {
            log.error('leadership lost, ending: another master may lead now');
            process.exit(1);
          },
          vipRange: options.vipRange,
          ...(options.vipRange6 === undefined ? {} : { vipRange6: options.vipRange6 }),
          network: { cidr: options.networkRange, backend: options.networkBackend },
          drainLimitMs: options.drainLimit,
          agentLostMs: options.agentLost,
          logThreshold,
          allowOrigins: options.allowOrigin,
          mostDeployments: options.maxRunningDeployments,
          launchTimeoutMs: options.launchTimeout,
          placement: {
            ranking: options.placement,
            gpuAgents: options.gpuAgents,
            ...(options.region === undefined ? {} : { region: options.region }),
          },
          labels: labelSettings(options),
          waitForAcks: options.waitForAcks,
        },
        { clock: systemClock, log },
      );
      await serve(master, { log, ready: () => log.info('master listens', { api: master.api.url }) });
    });
}
