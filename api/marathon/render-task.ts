import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import type { CheckResult } from '../../core/model/checks.ts';
import { taskId } from '../../core/model/ids.ts';
import { type HealthResult, healthOf, type Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { Json } from './render-app.ts';

export type TaskFacts = {
  readonly placement: Placement;
  readonly instance: Instance;
  readonly agent: Agent | undefined;
};

/** Marathon's names of states (§17.3). What a lost agent said last does not count, but that it ended. */
export function taskState({ state }: Instance, placement?: Placement): string {
  if (placement?.unreachableSince !== undefined && state.kind !== 'ended') return 'TASK_UNREACHABLE';
  switch (state.kind) {
    case 'staging':
      return state.step === 'starting' ? 'TASK_STARTING' : 'TASK_STAGING';
    case 'running':
      return 'TASK_RUNNING';
    case 'killing':
      return 'TASK_KILLING';
    case 'ended':
      return { finished: 'TASK_FINISHED', failed: 'TASK_FAILED', killed: 'TASK_KILLED' }[state.how];
  }
}

/** Condition names of instances (§17.4), the state without its prefix. */
export function condition(instance: Instance, placement?: Placement): string {
  const state = taskState(instance, placement);
  if (state === 'TASK_UNREACHABLE' && placement?.inactiveSince !== undefined) return 'UnreachableInactive';
  const name = state.slice('TASK_'.length).toLowerCase();
  return name[0]!.toUpperCase() + name.slice(1);
}

/** The Task object of §4.1. */
export function renderTask({ placement, instance, agent }: TaskFacts): Json {
  const running = instance.state.kind === 'running' ? instance.state : undefined;
  const active = instance.state.kind !== 'ended' && placement.inactiveSince === undefined;
  return {
    id: taskId(placement.instanceId, placement.attempt),
    appId: placement.appId,
    host: agent?.hostname ?? placement.agentId,
    slaveId: placement.agentId,
    state: taskState(instance, placement),
    ports: active ? placement.hostPorts.filter((port) => port !== null) : [],
    servicePorts: [],
    ipAddresses: addressesOf(instance, agent).map((ip) => ({
      ipAddress: ip,
      protocol: ip.includes(':') ? 'IPv6' : 'IPv4',
    })),
    ...(active ? { stagedAt: timestamp(instance.stagedAt), version: placement.appVersion } : {}),
    ...(running === undefined || !active ? {} : { startedAt: timestamp(running.since) }),
    ...healthResults(instance),
    ...(running?.check === undefined ? {} : { checkResult: renderCheck(running.check) }),
    ...faultDomain(agent),
    localVolumes: [],
  };
}

function faultDomain(agent: Agent | undefined): Json {
  const { region, zone } = agent?.attributes ?? {};
  return { ...(region === undefined ? {} : { region }), ...(zone === undefined ? {} : { zone }) };
}

/** What the status of a task names as its addresses: the container's, or the agent's in host mode. */
export function addressesOf(instance: Instance, agent: Agent | undefined): readonly string[] {
  if (instance.state.kind !== 'running') return [];
  const own = instance.state.addresses.map((address) => address.ip);
  return own.length > 0 || agent === undefined ? own : [agent.address];
}

export type TaskCounts = {
  readonly tasksStaged: number;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
};

/** §3.1: a task without checks is neither healthy nor unhealthy. */
export function countTasks(tasks: readonly Pick<TaskFacts, 'instance' | 'placement'>[]): TaskCounts {
  const seen = tasks.filter(({ placement }) => placement.unreachableSince === undefined);
  const count = (holds: (instance: Instance) => boolean) =>
    seen.filter(({ instance }) => holds(instance)).length;
  return {
    tasksStaged: count((instance) => taskState(instance) === 'TASK_STAGING'),
    tasksRunning: count((instance) => instance.state.kind === 'running'),
    tasksHealthy: count((instance) => healthOf(instance) === 'healthy'),
    tasksUnhealthy: count((instance) => healthOf(instance) === 'unhealthy'),
  };
}

function healthResults(instance: Instance): Json {
  const results =
    instance.state.kind === 'running' ? instance.state.health.filter((result) => result !== null) : [];
  if (results.length === 0) return {};
  return { healthCheckResults: results.map((result) => renderHealth(result, instance.instanceId)) };
}

/** §14.4. A number that is missing means that there was no answer. */
function renderCheck(result: CheckResult): Json {
  const { kind, ...seen } = result;
  return { [kind]: seen };
}

function renderHealth(result: HealthResult, instanceId: string): Json {
  const times = (['firstSuccess', 'lastSuccess', 'lastFailure'] as const).flatMap((name) => {
    const at = result[name];
    return at === undefined ? [] : [[name, timestamp(at)] as const];
  });
  return {
    alive: result.alive,
    consecutiveFailures: result.consecutiveFailures,
    ...Object.fromEntries(times),
    ...(result.lastFailureCause === undefined ? {} : { lastFailureCause: result.lastFailureCause }),
    instanceId,
  };
}
