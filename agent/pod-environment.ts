import { type App, isHostMode, type PodApp } from '../core/model/app.ts';
import type { EnvValue } from '../core/model/env-value.ts';
import { safeId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import { endpointsOf, type PodContainer, podTaskId } from '../core/model/pod.ts';
import { decimal, labelVariables, SecretMissing } from './environment.ts';

export type PodEnvironmentInputs = {
  readonly app: PodApp;
  readonly container: PodContainer;
  readonly placement: Placement;
  /** Of the agent; on a network of its own, the instance's address. */
  readonly hostname: string;
  readonly address: string;
};

type Environment = Readonly<Record<string, string>>;

/** The environment of one container of a pod (Marathon §19.2). Later wins; unlike apps, users do not override what Weir sets. */
export function podEnvironmentOf(inputs: PodEnvironmentInputs): Environment {
  const { app, container, placement, hostname } = inputs;
  return {
    ...plain(app.id, app.env),
    ...plain(app.id, container.environment),
    HOST: hostname,
    ...contextVariables(inputs),
    ...labelVariables({ ...app.labels, ...container.labels }),
    ...endpointVariables(app, placement),
  };
}

function contextVariables({ app, container, placement, address }: PodEnvironmentInputs): Environment {
  const { instanceId, attempt } = placement;
  const { cpus, mem, disk, gpus } = container.resources;
  return {
    MESOS_TASK_ID: podTaskId(instanceId, container.name, attempt),
    MESOS_EXECUTOR_ID: `instance-${safeId(app.id)}.${instanceId.slice(instanceId.lastIndexOf('.instance-') + '.instance-'.length)}`,
    MESOS_CONTAINER_IP: address,
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: app.version,
    MARATHON_CONTAINER_ID: container.name,
    MARATHON_CONTAINER_RESOURCE_CPUS: decimal(cpus),
    MARATHON_CONTAINER_RESOURCE_MEM: decimal(mem),
    MARATHON_CONTAINER_RESOURCE_DISK: decimal(disk),
    MARATHON_CONTAINER_RESOURCE_GPUS: String(gpus),
  };
}

/** Every endpoint of the pod, in every container. */
function endpointVariables(app: PodApp, { hostPorts, containerPorts }: Placement): Environment {
  const variables: Record<string, string> = {};
  for (const [index, { name }] of endpointsOf(app.pod).entries()) {
    const suffix = name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
    const [host, own] = [hostPorts[index] ?? undefined, containerPorts[index] ?? undefined];
    const effective = isHostMode(app) ? host : own;
    if (effective !== undefined) variables[`ENDPOINT_${suffix}`] = String(effective);
    if (host !== undefined) variables[`EP_HOST_${suffix}`] = String(host);
    if (own !== undefined) variables[`EP_CONTAINER_${suffix}`] = String(own);
  }
  return variables;
}

function plain(pod: App['id'], values: Readonly<Record<string, EnvValue>>): Environment {
  const entries = Object.entries(values).map(([name, value]) => {
    if (typeof value !== 'string') throw new SecretMissing(pod, value.secret);
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}
