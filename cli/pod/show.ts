import { whyLong } from '../app/waiting.ts';
import type { NodeInfo, PodContainerInfo, PodInfo, PodInstanceInfo, QueueItem } from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { facts, table } from '../show/table.ts';
import { age } from '../show/words.ts';
import { podStatusText, stableOf } from './list.ts';

export type PodPage = {
  readonly pod: PodInfo;
  readonly waiting: QueueItem | undefined;
  readonly nodes: readonly NodeInfo[];
  /** ms since the epoch. */
  readonly now: number;
};

/** Everything a person asks about one pod, on one page. */
export function podPage({ pod, waiting, nodes, now }: PodPage): string {
  const { spec } = pod;
  const [failure] = pod.terminationHistory;
  const parts = [
    `${styled('bold', pod.id)}  ${podStatusText(pod, waiting)}, ${stableOf(pod)} stable`,
    facts([
      ['version', spec.version],
      ['containers', spec.containers.map(containerText).join('\n')],
      ['network', (spec.networks ?? []).map(({ mode, name }) => [mode, name].join(' ').trim()).join(', ')],
      ['volumes', (spec.volumes ?? []).map(({ name, host }) => `${name} (${host ?? 'shared'})`).join(', ')],
    ]),
    ...(pod.instances.length > 0 ? [instanceTable(pod.instances, now)] : []),
    ...(waiting === undefined ? [] : [whyLong(waiting, nodes).join('\n')]),
    ...(failure === undefined
      ? []
      : [`Last failure, ${age(failure.terminatedAt, now)} ago: ${failure.message}`]),
  ];
  return parts.join('\n\n');
}

function containerText({ name, image, resources, endpoints = [] }: PodContainerInfo): string {
  const ports = endpoints.map((endpoint) => `${endpoint.name} ${endpoint.containerPort ?? 'host port'}`);
  const own = `${name}: ${resources.cpus} cpus, ${resources.mem} MiB`;
  return [own, ...(image === undefined ? [] : [image.id]), ...ports].join(', ');
}

function instanceTable(instances: readonly PodInstanceInfo[], now: number): string {
  return table<PodInstanceInfo>(
    [
      { head: 'INSTANCE', of: ({ id }) => id },
      {
        head: 'STATUS',
        of: ({ status, message }) => [status.toLowerCase(), message].filter(Boolean).join(': '),
      },
      { head: 'CONTAINERS', of: ({ containers }) => containers.map(stateText).join(', ') || '-' },
      { head: 'NODE', of: ({ agentHostname = '-' }) => agentHostname },
      {
        head: 'ADDRESS',
        of: ({ networks }) => networks.flatMap(({ addresses }) => addresses).join(',') || '-',
      },
      { head: 'AGE', right: true, of: ({ statusSince }) => age(statusSince, now) },
    ],
    instances,
  );
}

/** `web running healthy`. */
function stateText({ name, status, conditions = [] }: PodInstanceInfo['containers'][number]): string {
  const healthy = conditions.find((condition) => condition.name === 'healthy')?.value;
  const health = healthy === undefined ? [] : [healthy === 'true' ? 'healthy' : 'not healthy'];
  return [name, status.replace(/^TASK_/, '').toLowerCase(), ...health].join(' ');
}
