import { envValue, labels, networkName, portNumber, unreachableStrategy } from './app-schema.ts';
import { fetchList } from './fetch-schema.ts';
import {
  anything,
  flag,
  integer,
  list,
  map,
  number,
  object,
  oneOf,
  optional,
  required,
  type Shape,
  text,
} from './schema.ts';

const name = text({ minLength: 1, maxLength: 63, pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ });
const seconds = integer({ min: 0 });
const environment = map(envValue);

/** Exactly one of both; that is a matter of meaning. */
const command = object({ shell: optional(text({ minLength: 1 })), argv: optional(list(text())) });

const endpoint = object({
  name: required(name),
  containerPort: optional(portNumber),
  hostPort: optional(portNumber),
  protocol: optional(list(oneOf('tcp', 'udp'))),
  labels: optional(labels),
  networkNames: optional(list(networkName)),
});

const healthCheck = object({
  http: optional(
    object({
      endpoint: required(name),
      path: optional(text()),
      scheme: optional(oneOf('HTTP', 'HTTPS')),
    }),
  ),
  tcp: optional(object({ endpoint: required(name) })),
  exec: optional(object({ command: required(command) })),
  gracePeriodSeconds: optional(seconds),
  intervalSeconds: optional(seconds),
  maxConsecutiveFailures: optional(integer({ min: 0 })),
  timeoutSeconds: optional(seconds),
  delaySeconds: optional(seconds),
});

const container = object({
  name: required(name),
  exec: optional(object({ command: required(command), overrideEntrypoint: optional(flag) })),
  resources: required(
    object({
      cpus: required(number({ min: 0 })),
      mem: required(number({ min: 0 })),
      disk: optional(number({ min: 0 })),
      gpus: optional(integer({ min: 0 })),
    }),
  ),
  resourceLimits: optional(anything),
  endpoints: optional(list(endpoint)),
  image: optional(
    object({
      kind: required(oneOf('DOCKER')),
      id: required(text({ minLength: 1, maxLength: 1024 })),
      forcePull: optional(flag),
      pullConfig: optional(anything),
      labels: optional(labels),
    }),
  ),
  environment: optional(environment),
  user: optional(text({ minLength: 1 })),
  healthCheck: optional(healthCheck),
  check: optional(anything),
  volumeMounts: optional(
    list(
      object({
        name: required(text({ minLength: 1 })),
        mountPath: required(text({ minLength: 1, maxLength: 1024 })),
        readOnly: optional(flag),
      }),
    ),
  ),
  artifacts: optional(fetchList),
  labels: optional(labels),
  lifecycle: optional(object({ killGracePeriodSeconds: optional(number({ min: 0 })) })),
  tty: optional(flag),
  linuxInfo: optional(anything),
});

const scheduling = object({
  backoff: optional(
    object({
      backoff: optional(number({ min: 0 })),
      backoffFactor: optional(number({ min: 1 })),
      maxLaunchDelay: optional(number({ min: 0 })),
    }),
  ),
  upgrade: optional(
    object({
      minimumHealthCapacity: optional(number({ min: 0, max: 1 })),
      maximumOverCapacity: optional(number({ min: 0, max: 1 })),
    }),
  ),
  placement: optional(
    object({
      constraints: optional(
        list(
          object({
            fieldName: required(text()),
            operator: required(oneOf('UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'UNLIKE', 'MAX_PER', 'IS')),
            value: optional(text()),
          }),
        ),
      ),
      acceptedResourceRoles: optional(list(text({ minLength: 1 }))),
    }),
  ),
  killSelection: optional(oneOf('YOUNGEST_FIRST', 'OLDEST_FIRST')),
  unreachableStrategy: optional(unreachableStrategy),
});

const podFields = {
  id: required(text()),
  version: optional(text()),
  user: optional(text({ minLength: 1 })),
  labels: optional(labels),
  environment: optional(environment),
  containers: required(list(container)),
  secrets: optional(map(object({ source: required(text({ minLength: 1 })) }))),
  volumes: optional(
    list(
      object({
        name: required(text({ minLength: 1, maxLength: 63 })),
        host: optional(text({ minLength: 1 })),
        secret: optional(text()),
        persistent: optional(anything),
      }),
    ),
  ),
  networks: optional(
    list(
      object({
        mode: optional(oneOf('host', 'container/bridge', 'container')),
        name: optional(networkName),
        labels: optional(labels),
      }),
    ),
  ),
  scaling: optional(object({ kind: required(oneOf('fixed')), instances: required(integer({ min: 0 })) })),
  scheduling: optional(scheduling),
  executorResources: optional(
    object({
      cpus: optional(number({ min: 0 })),
      mem: optional(number({ min: 0 })),
      disk: optional(number({ min: 0 })),
    }),
  ),
  linuxInfo: optional(anything),
  legacySharedCgroups: optional(flag),
  role: optional(text({ minLength: 1 })),
};

/** Type level of a pod definition (Marathon §19.1). */
export const readPod = object(podFields);

export type PodInput = Shape<typeof podFields>;
export type PodContainerInput = PodInput['containers'][number];
export type PodEndpointInput = NonNullable<PodContainerInput['endpoints']>[number];
export type PodHealthCheckInput = NonNullable<PodContainerInput['healthCheck']>;
export type PodCommandInput = NonNullable<PodContainerInput['exec']>['command'];
