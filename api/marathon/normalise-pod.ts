import type { UnreachableStrategy } from '../../core/model/app.ts';
import type { HealthCheck } from '../../core/model/health-check.ts';
import {
  endpointsOf,
  type Pod,
  type PodCommand,
  type PodContainer,
  type PodEndpoint,
  type PodHealthCheck,
  type PodImage,
} from '../../core/model/pod.ts';
import type { Resources } from '../../core/model/resources.ts';
import { fetchUriOf } from './fetch-schema.ts';
import { networksOf } from './networks-of.ts';
import type { AppDraft } from './normalise.ts';
import { pick } from './pick.ts';
import type {
  PodCommandInput,
  PodContainerInput,
  PodEndpointInput,
  PodHealthCheckInput,
  PodInput,
} from './pod-schema.ts';

export type PodDraft = AppDraft & { readonly pod: Pod };

type Mode = 'host' | 'container/bridge' | 'container';

/**
 * A pod as a run specification, defaults filled in (Marathon §19.1). Takes any input of the right types and never throws;
 * the result is only a definition if `checkPod` finds no fault with it.
 */
export function normalisePod(input: PodInput, id: string): PodDraft {
  const networks = networksOf(pick(input, 'networks'));
  const mode = networks[0]?.mode ?? 'host';
  const pod: Pod = {
    containers: input.containers.map((container) => containerOf(container, mode)),
    volumes: (input.volumes ?? []).map((volume) => ({
      ...pick(volume, 'name', 'host'),
      ...keep(volume, 'persistent', 'secret'),
    })),
    executorResources: { cpus: 0.1, mem: 32, disk: 10, gpus: 0, ...input.executorResources },
    ...keep(input, 'linuxInfo', 'legacySharedCgroups'),
  };
  const { backoff, upgrade, placement, killSelection, unreachableStrategy } = input.scheduling ?? {};
  return {
    id,
    ...pick(input, 'user', 'role'),
    instances: input.scaling?.instances ?? 1,
    ...sumOf([pod.executorResources, ...pod.containers.map(({ resources }) => resources)]),
    env: input.environment ?? {},
    labels: input.labels ?? {},
    executor: '',
    networks,
    requirePorts: false,
    constraints: (placement?.constraints ?? []).map(({ fieldName, ...rest }) => ({
      field: fieldName,
      ...rest,
    })),
    ...(placement?.acceptedResourceRoles?.length ? pick(placement, 'acceptedResourceRoles') : {}),
    dependencies: [],
    healthChecks: healthChecksOf(pod),
    readinessChecks: [],
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1, ...upgrade },
    backoffSeconds: backoff?.backoff ?? 1,
    backoffFactor: backoff?.backoffFactor ?? 1.15,
    maxLaunchDelaySeconds: backoff?.maxLaunchDelay ?? 3600,
    killSelection: killSelection ?? 'YOUNGEST_FIRST',
    unreachableStrategy: unreachableOf(unreachableStrategy),
    fetch: [],
    secrets: input.secrets ?? {},
    pod,
  };
}

function containerOf(input: PodContainerInput, mode: Mode): PodContainer {
  const { image, exec, healthCheck, lifecycle } = input;
  return {
    ...pick(input, 'name', 'user'),
    ...(exec === undefined
      ? {}
      : { exec: { command: commandOf(exec.command), ...pick(exec, 'overrideEntrypoint') } }),
    resources: { disk: 0, gpus: 0, ...input.resources },
    ...(image === undefined ? {} : { image: imageOf(image) }),
    endpoints: (input.endpoints ?? []).map((endpoint) => endpointOf(endpoint, mode)),
    environment: input.environment ?? {},
    labels: input.labels ?? {},
    volumeMounts: (input.volumeMounts ?? []).map((mount) => ({ readOnly: false, ...mount })),
    ...(healthCheck === undefined ? {} : { healthCheck: checkOf(healthCheck) }),
    ...pick(lifecycle ?? {}, 'killGracePeriodSeconds'),
    ...(input.artifacts === undefined ? {} : { artifacts: input.artifacts.map(fetchUriOf) }),
    ...keep(input, 'check', 'tty', 'linuxInfo', 'resourceLimits'),
  };
}

function imageOf(image: NonNullable<PodContainerInput['image']>): PodImage {
  const { id, forcePull = false, labels = {} } = image;
  return { id, forcePull, labels, ...keep(image, 'pullConfig') };
}

/** What of these says something, for showing it again. */
function keep<T extends object, K extends keyof T>(from: T, ...names: readonly K[]) {
  const kept = Object.fromEntries(
    Object.entries(pick(from, ...names)).filter(([, value]) => value !== false && !isEmpty(value)),
  );
  return isEmpty(kept) ? {} : { kept };
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Only container networks leave out host ports by default. */
function endpointOf(input: PodEndpointInput, mode: Mode): PodEndpoint {
  const hostPort = input.hostPort ?? (mode === 'container' ? undefined : 0);
  return {
    ...pick(input, 'name', 'containerPort'),
    ...(hostPort === undefined ? {} : { hostPort }),
    protocol: input.protocol?.length ? input.protocol : ['tcp'],
    labels: input.labels ?? {},
    networkNames: input.networkNames ?? [],
  };
}

function commandOf({ shell, argv }: PodCommandInput): PodCommand {
  return shell === undefined ? { argv: argv ?? [] } : { shell };
}

function checkOf({ exec, ...input }: PodHealthCheckInput): PodHealthCheck {
  return {
    gracePeriodSeconds: 300,
    intervalSeconds: 60,
    maxConsecutiveFailures: 3,
    timeoutSeconds: 20,
    delaySeconds: 15,
    ...input,
    ...(exec === undefined ? {} : { exec: { command: commandOf(exec.command) } }),
  };
}

/** The checks of a pod's containers, made on the node (Marathon §14.1), with ports by their place in the pod. */
function healthChecksOf(pod: Pod): readonly HealthCheck[] {
  const portIndex = (endpoint: string) => endpointsOf(pod).findIndex(({ name }) => name === endpoint);
  return pod.containers.flatMap(({ name, healthCheck: check }): readonly HealthCheck[] => {
    if (check === undefined) return [];
    const { http, tcp, exec, ...times } = check;
    const common = { ...times, container: name };
    if (http !== undefined) {
      const protocol = http.scheme === 'HTTPS' ? ('MESOS_HTTPS' as const) : ('MESOS_HTTP' as const);
      return [{ ...common, ...pick(http, 'path'), protocol, portIndex: portIndex(http.endpoint) }];
    }
    if (tcp !== undefined) return [{ ...common, protocol: 'MESOS_TCP', portIndex: portIndex(tcp.endpoint) }];
    if (exec === undefined) return [];
    const { command } = exec;
    return 'shell' in command
      ? [{ ...common, protocol: 'COMMAND', command: { value: command.shell } }]
      : [{ ...common, protocol: 'COMMAND', argv: command.argv }];
  });
}

/** Sums of decimal fractions are rounded to what was meant. */
function sumOf(parts: readonly Resources[]): Resources {
  const sum = (kind: keyof Resources) =>
    Math.round(parts.reduce((total, part) => total + part[kind], 0) * 1e6) / 1e6;
  return { cpus: sum('cpus'), mem: sum('mem'), disk: sum('disk'), gpus: sum('gpus') };
}

function unreachableOf(
  given: NonNullable<PodInput['scheduling']>['unreachableStrategy'],
): UnreachableStrategy {
  if (given === 'disabled') return 'disabled';
  return { inactiveAfterSeconds: 0, expungeAfterSeconds: 0, ...given };
}
