import { fetchList } from './fetch-schema.ts';
import {
  anything,
  flag,
  integer,
  isObject,
  list,
  map,
  number,
  object,
  oneOf,
  optional,
  reader,
  required,
  type Shape,
  text,
} from './schema.ts';

export const labels = map(text());
const secretReference = object({ secret: required(text()) });
const plainText = text();
export const envValue = reader<string | { readonly secret: string }>(
  { oneOf: [plainText.schema, secretReference.schema] },
  (value, path, faults) =>
    isObject(value) ? secretReference(value, path, faults) : plainText(value, path, faults),
);
export const portNumber = integer({ min: 0, max: 65_535 });
const portName = text({ pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ });
export const networkName = text({ minLength: 1, maxLength: 63, pattern: /^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$/ });
const protocol = oneOf('tcp', 'udp', 'udp,tcp', 'tcp,udp');

const portMapping = object({
  containerPort: optional(portNumber),
  hostPort: optional(portNumber),
  servicePort: optional(portNumber),
  protocol: optional(protocol),
  name: optional(portName),
  labels: optional(labels),
  networkNames: optional(list(networkName)),
});

/** Kinds (Marathon §18.1) are told apart by their fields; which of them go together is a matter of meaning. */
const volume = object({
  containerPath: required(text()),
  hostPath: optional(text()),
  mode: optional(oneOf('RO', 'RW')),
  persistent: optional(
    object({
      size: required(integer()),
      type: optional(oneOf('root', 'path', 'mount')),
      maxSize: optional(integer()),
      profileName: optional(text()),
      constraints: optional(list(list(text()))),
    }),
  ),
  external: optional(
    object({
      name: optional(text()),
      provider: optional(text()),
      size: optional(integer({ min: 0 })),
      options: optional(anything),
      shared: optional(flag),
    }),
  ),
  secret: optional(text()),
});

const docker = object({
  image: required(text({ minLength: 1 })),
  forcePullImage: optional(flag),
  privileged: optional(flag),
  parameters: optional(list(object({ key: required(text()), value: required(text()) }))),
  pullConfig: optional(object({ secret: required(text({ minLength: 1 })) })),
  credential: optional(anything),
  network: optional(oneOf('HOST', 'BRIDGE', 'USER', 'NONE')),
  portMappings: optional(list(portMapping)),
});

const discoveryPort = object({
  number: required(portNumber),
  name: optional(portName),
  protocol: optional(protocol),
  labels: optional(labels),
});

const container = object({
  type: optional(oneOf('MESOS', 'DOCKER')),
  docker: optional(docker),
  portMappings: optional(list(portMapping)),
  volumes: optional(list(volume)),
  linuxInfo: optional(
    object({
      seccomp: optional(object({ profileName: optional(text()), unconfined: optional(flag) })),
      ipcInfo: optional(
        object({ mode: required(oneOf('PRIVATE', 'SHARE_PARENT')), shmSize: optional(integer({ min: 0 })) }),
      ),
    }),
  ),
});

const healthCheck = object({
  protocol: optional(oneOf('HTTP', 'HTTPS', 'TCP', 'MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP', 'COMMAND')),
  path: optional(text()),
  portIndex: optional(integer({ min: 0 })),
  port: optional(portNumber),
  command: optional(object({ value: required(text({ minLength: 1 })) })),
  gracePeriodSeconds: optional(integer({ min: 0 })),
  intervalSeconds: optional(integer({ min: 0 })),
  timeoutSeconds: optional(integer({ min: 0 })),
  maxConsecutiveFailures: optional(integer({ min: 0 })),
  delaySeconds: optional(integer({ min: 0 })),
  ignoreHttp1xx: optional(flag),
  ipProtocol: optional(oneOf('IPv4', 'IPv6')),
});

const readinessCheck = object({
  name: optional(text({ minLength: 1 })),
  protocol: optional(oneOf('HTTP', 'HTTPS')),
  path: optional(text()),
  portName: optional(text()),
  intervalSeconds: optional(integer({ min: 1 })),
  timeoutSeconds: optional(integer({ min: 1 })),
  httpStatusCodesForReady: optional(list(integer({ min: 100, max: 999 }))),
  preserveLastResponse: optional(flag),
});

const checkPort = { portIndex: optional(integer({ min: 0 })), port: optional(portNumber) };

const generalCheck = object({
  http: optional(object({ ...checkPort, path: optional(text()), scheme: optional(oneOf('HTTP', 'HTTPS')) })),
  tcp: optional(object(checkPort)),
  exec: optional(
    object({
      command: required(
        object({ shell: optional(text({ minLength: 1 })), argv: optional(list(text({ minLength: 1 }))) }),
      ),
    }),
  ),
  intervalSeconds: optional(integer({ min: 1 })),
  timeoutSeconds: optional(integer({ min: 0 })),
  delaySeconds: optional(integer({ min: 0 })),
});

const unreachable = object({
  inactiveAfterSeconds: optional(integer({ min: 0 })),
  expungeAfterSeconds: optional(integer({ min: 0 })),
});
const disabled = oneOf('disabled');
type Unreachable =
  | 'disabled'
  | { readonly inactiveAfterSeconds?: number; readonly expungeAfterSeconds?: number };
export const unreachableStrategy = reader<Unreachable>(
  { oneOf: [disabled.schema, unreachable.schema] },
  (value, path, faults) =>
    typeof value === 'string' ? disabled(value, path, faults) : unreachable(value, path, faults),
);

const unlimited = oneOf('unlimited');
const amount = number({ min: 0 });
const limit = reader<number | 'unlimited'>(
  { oneOf: [amount.schema, unlimited.schema] },
  (value, path, faults) =>
    typeof value === 'string' ? unlimited(value, path, faults) : amount(value, path, faults),
);

const appFields = {
  id: optional(text()),
  cmd: optional(text({ minLength: 1 })),
  args: optional(list(text())),
  user: optional(text({ minLength: 1 })),
  instances: optional(integer({ min: 0 })),
  cpus: optional(number({ min: 0.001 })),
  mem: optional(number({ min: 0 })),
  disk: optional(number({ min: 0 })),
  gpus: optional(integer({ min: 0 })),
  env: optional(map(envValue)),
  labels: optional(labels),
  executor: optional(text({ pattern: /^(|\/\/cmd|\/?[^/]+(\/[^/]+)*)$/ })),
  executorResources: optional(
    object({
      cpus: optional(number({ min: 0.1 })),
      mem: optional(number({ min: 32 })),
      disk: optional(number({ min: 10 })),
    }),
  ),
  fetch: optional(fetchList),
  uris: optional(list(text())),
  backoffSeconds: optional(integer({ min: 0 })),
  backoffFactor: optional(number({ min: 1 })),
  maxLaunchDelaySeconds: optional(integer({ min: 0 })),
  constraints: optional(list(list(text()))),
  acceptedResourceRoles: optional(list(text({ minLength: 1 }))),
  upgradeStrategy: optional(
    object({
      minimumHealthCapacity: required(number()),
      maximumOverCapacity: required(number()),
    }),
  ),
  dependencies: optional(list(text({ minLength: 1 }))),
  healthChecks: optional(list(healthCheck)),
  readinessChecks: optional(list(readinessCheck)),
  networks: optional(
    list(
      object({
        mode: optional(oneOf('host', 'container/bridge', 'container')),
        name: optional(networkName),
        labels: optional(labels),
      }),
    ),
  ),
  portDefinitions: optional(
    list(
      object({
        port: optional(portNumber),
        protocol: optional(protocol),
        name: optional(portName),
        labels: optional(labels),
      }),
    ),
  ),
  ports: optional(list(portNumber)),
  requirePorts: optional(flag),
  ipAddress: optional(
    object({
      networkName: optional(networkName),
      labels: optional(labels),
      discovery: optional(object({ ports: optional(list(discoveryPort)) })),
      groups: optional(anything),
    }),
  ),
  container: optional(container),
  residency: optional(
    object({
      relaunchEscalationTimeoutSeconds: optional(integer({ min: 0 })),
      taskLostBehavior: optional(oneOf('WAIT_FOREVER', 'RELAUNCH_AFTER_TIMEOUT')),
    }),
  ),
  resourceLimits: optional(object({ cpus: optional(limit), mem: optional(limit) })),
  role: optional(text({ minLength: 1 })),
  secrets: optional(map(object({ source: required(text({ minLength: 1 })) }))),
  taskKillGracePeriodSeconds: optional(integer({ min: 0 })),
  killSelection: optional(oneOf('YOUNGEST_FIRST', 'OLDEST_FIRST')),
  unreachableStrategy: optional(unreachableStrategy),
  check: optional(generalCheck),
  tty: optional(flag),
  version: optional(text()),
};

/** Type level of an update (Marathon §3.4): any part of a definition. */
export const readUpdate = object(appFields);

/** Type level of a definition that is to name its app (Marathon §10.1). */
export const readApp = object({ ...appFields, id: required(text()) });

export type AppInput = Shape<typeof appFields>;
export type ContainerInput = NonNullable<AppInput['container']>;
export type VolumeInput = NonNullable<ContainerInput['volumes']>[number];
export type HealthCheckInput = NonNullable<AppInput['healthChecks']>[number];
export type PortMappingInput = NonNullable<NonNullable<AppInput['container']>['portMappings']>[number];
