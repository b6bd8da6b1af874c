import { weirName } from '../../core/model/name.ts';
import { actionWord, countsOf } from '../deployment/describe.ts';
import type {
  AppInfo,
  DeploymentInfo,
  FailureInfo,
  HealthCheckInfo,
  NodeInfo,
  Port,
  QueueItem,
} from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { facts } from '../show/table.ts';
import { age } from '../show/words.ts';
import { taskTable } from '../task/list.ts';
import { status } from './list.ts';
import { vipFaultLines } from './vip-faults.ts';
import { whyLong } from './waiting.ts';

export type AppPage = {
  readonly app: AppInfo;
  readonly waiting: QueueItem | undefined;
  readonly deployments: readonly DeploymentInfo[];
  readonly nodes: readonly NodeInfo[];
  /** ms since the epoch. */
  readonly now: number;
};

const longestCommand = 160;

/** Everything a person asks about one app, on one page. */
export function appPage({ app, waiting, deployments, nodes, now }: AppPage): string {
  const head = `${styled('bold', app.id)}  ${status(app, waiting)}, ${countsOf(app).join(', ')}`;
  const parts = [
    head,
    facts(definition(app, deployments)),
    ...vipFaultLines(app),
    ...((app.tasks?.length ?? 0) > 0 ? [taskTable(app.tasks ?? [], { now, withApp: false })] : []),
    ...(waiting === undefined ? [] : [whyLong(waiting, nodes).join('\n')]),
    ...(app.lastTaskFailure === undefined ? [] : [failure(app.lastTaskFailure, now)]),
  ];
  return parts.join('\n\n');
}

function definition(
  app: AppInfo,
  deployments: readonly DeploymentInfo[],
): readonly (readonly [string, string])[] {
  return [
    ['version', app.version],
    ['image', app.container?.docker?.image ?? ''],
    ['command', shortened(app.cmd ?? app.args?.join(' ') ?? '')],
    ['resources', `${app.cpus} cpus, ${app.mem} MiB memory${app.disk > 0 ? `, ${app.disk} MiB disk` : ''}`],
    [
      'network',
      (app.networks ?? [])
        .map(({ mode, name }) => (name === undefined ? mode : `${mode} ${name}`))
        .join(', '),
    ],
    ['ports', portsOf(app).map(portText).join('\n')],
    ['checks', (app.healthChecks ?? []).map(checkText).join('\n')],
    ['constraints', (app.constraints ?? []).map((words) => words.join(' ')).join(', ')],
    ['labels', pairs(app.labels)],
    ['env', pairs(app.env)],
    ['name', `${weirName(app.id)}.weir`],
    ['deployment', deployments.map(deploymentText).join('\n')],
  ];
}

/** Whole scripts are commands too; `--json` has all of it. */
function shortened(text: string): string {
  return text.length <= longestCommand ? text : `${text.slice(0, longestCommand)} …`;
}

function portsOf({ container, portDefinitions }: AppInfo): readonly Port[] {
  return container?.portMappings ?? portDefinitions ?? [];
}

/** `8080/tcp http, host port 31000, service port 10000, VIP web:80`. */
function portText({
  containerPort,
  hostPort,
  servicePort,
  port,
  protocol = 'tcp',
  name,
  labels,
}: Port): string {
  const vips = Object.entries(labels ?? {}).filter(([key]) => /^(VIP|vip)/.test(key));
  const own = containerPort === undefined ? `host port/${protocol}` : `${containerPort || 'any'}/${protocol}`;
  const parts = [
    name === undefined ? own : `${own} ${name}`,
    ...(hostPort === undefined || containerPort === undefined ? [] : [`host port ${hostPort || 'any'}`]),
    `service port ${servicePort ?? port ?? '-'}`,
    ...vips.map(([, vip]) => `VIP ${vip}`),
  ];
  return parts.join(', ');
}

function checkText({ protocol, path, command, portIndex, port, intervalSeconds }: HealthCheckInfo): string {
  const on = port === undefined ? (portIndex === undefined ? '' : `port index ${portIndex}`) : `port ${port}`;
  const parts = [
    protocol,
    path ?? command?.value ?? '',
    on,
    intervalSeconds === undefined ? '' : `every ${intervalSeconds} s`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function deploymentText({ id, currentStep, totalSteps, currentActions }: DeploymentInfo): string {
  const actions = currentActions.map(({ action }) => actionWord(action)).join(', ');
  return `${id}, step ${currentStep} of ${totalSteps}${actions && `: ${actions}`}`;
}

function pairs(values: Readonly<Record<string, unknown>> | undefined): string {
  return Object.entries(values ?? {})
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('\n');
}

function failure({ state, host, timestamp, message }: FailureInfo, now: number): string {
  const when = `${age(timestamp, now)} ago`;
  return `Last failure: ${styled('red', state)} on ${host}, ${when}\n  ${message.replaceAll('\n', '\n  ')}`;
}
