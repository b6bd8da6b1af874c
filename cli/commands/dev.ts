import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { systemClock } from '../../core/kit/clock.ts';
import { createLog, type LogLevel, type LogThreshold } from '../../core/kit/log.ts';
import type { Address } from '../compose/agent-settings.ts';
import { onReplaceEdge } from '../compose/replace-edge.ts';
import { type ApiFlags, accessOf, accessOptions } from '../options/api-options.ts';
import { type LabelFlags, labelOptions, labelSettings } from '../options/label-options.ts';
import { defaults, parseAddress, parseSeconds } from '../options/settings.ts';
import {
  edgeSettings,
  type TrafficFlags,
  trafficOptions,
  trafficSettings,
} from '../options/traffic-options.ts';
import { serve } from '../serve.ts';

type Options = ApiFlags &
  LabelFlags &
  TrafficFlags & {
    data: string;
    api: Address;
    runtime?: 'runc' | 'process';
    drainLimit: number;
    launchTimeout: number;
    waitForAcks: boolean;
    demo?: true;
    logLevel: LogLevel;
  };

export function register(program: Command): void {
  devOptions(
    program
      .command('dev')
      .description('run everything on this machine: master, agent, resolver, virtual IPs and edge'),
  )
    .option('--demo', 'deploy examples/hello.json when there is no app yet')
    .action(run);
  devOptions(
    program
      .command('down')
      .description('take down what `weir dev` made on this machine; apps and settings are kept'),
  ).action(remove);
}

function devOptions(command: Command): Command {
  command
    .addOption(
      new Option('--data <dir>', 'folder for everything that is kept')
        .env('WEIR_DATA')
        .default(defaults.data),
    )
    .addOption(
      new Option('--api <host:port>', 'where the API listens')
        .env('WEIR_API')
        .default(parseAddress(defaults.api), defaults.api)
        .argParser(parseAddress),
    )
    .addOption(
      new Option('--runtime <name>', 'default: the best this machine can do')
        .env('WEIR_RUNTIME')
        .choices(['runc', 'process']),
    )
    .addOption(
      new Option('--drain-limit <seconds>', 'a drain ends after this long even with requests in flight')
        .env('WEIR_DRAIN_LIMIT')
        .default(parseSeconds(defaults.drainLimit), defaults.drainLimit)
        .argParser(parseSeconds),
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
        '--no-wait-for-acks',
        'stop drained instances at once (for tests that must fail)',
      ).hideHelp(),
    );
  return trafficOptions(labelOptions(accessOptions(command))).addOption(
    new Option('--log-level <level>')
      .env('WEIR_LOG_LEVEL')
      .choices(['debug', 'info', 'warn', 'error'])
      .default('info'),
  );
}

async function run(options: Options): Promise<void> {
  const { introduce } = await import('../demo.ts');
  const { dev, log, logFile, settings, lacks } = await compose(options);
  const { api, edge, traffic, runtime, vip } = settings;
  onReplaceEdge(dev.agent, log);
  await serve(dev, {
    log,
    ready: () =>
      introduce({
        options: {
          ...{ api, http: edge.http, https: edge.https, dns: traffic.dns, logFile, runtime, vip },
          ...accessOf(options),
          demo: options.demo === true,
        },
        lacks,
        dev,
      }),
  });
}

async function remove(options: Options): Promise<void> {
  const { dev, settings } = await compose(options);
  await dev.remove();
  process.stdout.write(
    `Containers, networks and kernel tables are gone; apps and settings are kept in ${settings.dataDir}.\n`,
  );
}

async function compose(options: Options) {
  const { composeDev } = await import('../compose/dev.ts');
  const { machineFacts } = await import('../doctor/facts.ts');
  const { chooseBackends } = await import('../doctor/choose.ts');
  const facts = await machineFacts();
  const choices = chooseBackends(facts);
  const logFile = join(options.data, 'weir.log');
  const logThreshold: LogThreshold = { level: options.logLevel };
  const log = createLog({ threshold: logThreshold, path: logFile });
  const { data: dataDir, api, waitForAcks, vipRange } = options;
  const settings = {
    dataDir,
    api,
    waitForAcks,
    runtime: options.runtime ?? choices.runtime.value,
    vip: options.vip ?? choices.vip.value,
    ...(vipRange === undefined ? {} : { vipRange }),
    traffic: trafficSettings(options),
    edge: edgeSettings(options, 1),
    labels: labelSettings(options),
    facts,
    drainLimitMs: options.drainLimit,
    launchTimeoutMs: options.launchTimeout,
    ...accessOf(options),
    logThreshold,
  };
  return {
    dev: await composeDev(settings, { clock: systemClock, log }),
    log,
    logFile,
    settings,
    lacks: choices.runtime.lacks,
  };
}
