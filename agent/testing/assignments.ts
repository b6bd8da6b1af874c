import type { Agent } from '../../core/model/agent.ts';
import type { App } from '../../core/model/app.ts';
import type { Endpoint } from '../../core/model/directory.ts';
import type { HealthCheck } from '../../core/model/health-check.ts';
import type { Assignment } from '../../core/model/master-port.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { InstanceRecord } from '../record.ts';

export const epoch = Date.UTC(2026, 0, 1);
const version = '2026-01-01T00:00:00.000Z';

export const testAgent: Agent = {
  id: 'a1',
  hostname: 'one',
  address: '100.64.255.1',
  resources: { cpus: 4, mem: 4096, disk: 10_000, gpus: 0 },
  ports: [{ begin: 31_000, end: 31_999 }],
  attributes: {},
  edge: false,
  runtime: 'fake',
  consumers: ['dns'],
};

/** On the networks `blue` and `green` with one port mapped to the host, unless the fields say otherwise. */
export function appOf(fields: Partial<App> = {}): App {
  return {
    id: '/web',
    cmd: 'serve',
    instances: 1,
    cpus: 0.1,
    mem: 32,
    disk: 0,
    gpus: 0,
    env: {},
    labels: {},
    executor: '',
    networks: [
      { mode: 'container', name: 'blue' },
      { mode: 'container', name: 'green' },
    ],
    container: {
      type: 'MESOS',
      volumes: [],
      portMappings: [
        {
          containerPort: 80,
          hostPort: 0,
          servicePort: 10_000,
          protocol: 'tcp',
          labels: {},
          networkNames: [],
        },
      ],
    },
    requirePorts: false,
    constraints: [],
    dependencies: [],
    healthChecks: [],
    readinessChecks: [],
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    backoffSeconds: 1,
    backoffFactor: 1.15,
    maxLaunchDelaySeconds: 300,
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: 'disabled',
    fetch: [],
    secrets: {},
    version,
    versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
    ...fields,
  };
}

/** The part that makes an app a pod of these containers, on one port and with a shared volume. */
export function podOf(...names: readonly string[]): Pick<App, 'pod'> {
  const resources = { cpus: 0.1, mem: 32, disk: 0, gpus: 0 };
  const endpoint = { name: 'http', containerPort: 80, hostPort: 0, labels: {}, networkNames: [] };
  return {
    pod: {
      containers: names.map((name, index) => ({
        ...{ name, resources, environment: {}, labels: {} },
        exec: { command: { shell: `serve ${name}` } },
        endpoints: index === 0 ? [{ ...endpoint, protocol: ['tcp' as const] }] : [],
        volumeMounts: [{ name: 'shared', mountPath: `at-${name}`, readOnly: index > 0 }],
      })),
      volumes: [{ name: 'shared' }],
      executorResources: resources,
    },
  };
}

/** An instance of that name placed on the test's agent. */
export function assignmentOf(
  name: string,
  { app = {}, ...fields }: Partial<Placement> & { readonly app?: Partial<App> } = {},
): Assignment {
  const placement: Placement = {
    instanceId: `web.instance-${name}`,
    appId: '/web',
    appVersion: version,
    agentId: testAgent.id,
    attempt: 1,
    hostPorts: [31_000],
    containerPorts: [80],
    goal: 'run',
    createdAt: epoch,
    ...fields,
  };
  return { placement, app: appOf(app) };
}

/** Its record and container key. */
export function keyOf(name: string, attempt = 1): string {
  return `web.instance-${name}.${attempt}`;
}

export function recordOf(name: string, fields: Partial<InstanceRecord> = {}): InstanceRecord {
  return {
    assignment: assignmentOf(name),
    stagedAt: epoch,
    state: { kind: 'running', since: epoch, addresses: [], health: [] },
    addresses: [],
    cleaned: false,
    ...fields,
  };
}

export function checkOf(fields: Partial<HealthCheck> = {}): HealthCheck {
  return {
    protocol: 'MESOS_HTTP',
    path: '/',
    portIndex: 0,
    gracePeriodSeconds: 0,
    intervalSeconds: 10,
    timeoutSeconds: 5,
    maxConsecutiveFailures: 3,
    delaySeconds: 0,
    ...fields,
  };
}

export function endpointOf(name: string): Endpoint {
  return {
    instanceId: `web.instance-${name}`,
    taskId: `web.instance-${name}._app.1`,
    appId: '/web',
    agentId: testAgent.id,
    agentAddress: testAgent.address,
    addresses: [],
    ports: [],
    ready: true,
  };
}
