import type {
  App,
  Container,
  FetchUri,
  NetworkRequest,
  PortDefinition,
  PortMapping,
} from '../../core/model/app.ts';
import type { Constraint } from '../../core/model/constraint.ts';
import type { HealthCheck } from '../../core/model/health-check.ts';
import { absoluteId } from './app-id.ts';
import type { AppInput, PortMappingInput } from './app-schema.ts';

/** Definition without what the server assigns. */
export type AppDraft = Omit<App, 'version' | 'versionInfo'>;

/** Fills in defaults and translates the forms of Marathon before 1.5 (§11.7). The input has passed both checks. */
export function normalise(input: AppInput, id: string): AppDraft {
  const networks = networksOf(input);
  const isHost = networks.every((network) => network.mode === 'host');
  const container = containerOf(input, isHost);
  return {
    id,
    ...pick(input, 'cmd', 'args', 'user', 'acceptedResourceRoles', 'taskKillGracePeriodSeconds', 'tty'),
    instances: input.instances ?? 1,
    cpus: input.cpus ?? 1,
    mem: input.mem ?? 128,
    disk: input.disk ?? 0,
    gpus: input.gpus ?? 0,
    env: input.env ?? {},
    labels: input.labels ?? {},
    executor: input.executor ?? '',
    ...(container === undefined ? {} : { container }),
    networks,
    ...(isHost ? { portDefinitions: portDefinitionsOf(input) } : {}),
    requirePorts: isHost && (input.requirePorts ?? false),
    constraints: (input.constraints ?? []).map(constraintOf),
    dependencies: (input.dependencies ?? []).map((dependency) => absoluteId(dependency, parentOf(id))),
    healthChecks: (input.healthChecks ?? []).map(healthCheckOf),
    readinessChecks: (input.readinessChecks ?? []).map((check) => ({ ...readinessDefaults, ...check })),
    upgradeStrategy: input.upgradeStrategy ?? { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    backoffSeconds: input.backoffSeconds ?? 1,
    backoffFactor: input.backoffFactor ?? 1.15,
    maxLaunchDelaySeconds: input.maxLaunchDelaySeconds ?? 3600,
    killSelection: input.killSelection ?? 'YOUNGEST_FIRST',
    unreachableStrategy:
      input.unreachableStrategy === 'disabled'
        ? 'disabled'
        : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0, ...input.unreachableStrategy },
    fetch: [
      ...(input.fetch ?? []).map((entry) => ({ ...fetchDefaults, ...entry })),
      ...(input.uris ?? []).map(fetchOf),
    ],
    secrets: {},
  };
}

/** What the networks of an app come to, also when they are said in an older form. */
export function networksOf(input: AppInput): readonly NetworkRequest[] {
  if (input.networks !== undefined && input.networks.length > 0) {
    return input.networks.map(({ mode = 'container', name = '', labels = {} }) => {
      if (mode === 'container')
        return Object.keys(labels).length === 0 ? { mode, name } : { mode, name, labels };
      return { mode };
    });
  }
  const old = input.container?.docker?.network?.toUpperCase();
  if (old === 'BRIDGE') return [{ mode: 'container/bridge' }];
  if (input.ipAddress !== undefined && old !== 'HOST') {
    const { networkName: name, labels = {} } = input.ipAddress;
    if (name === undefined) return [{ mode: 'container', name: '' }];
    return [
      Object.keys(labels).length === 0 ? { mode: 'container', name } : { mode: 'container', name, labels },
    ];
  }
  return old === 'USER' ? [{ mode: 'container', name: '' }] : [{ mode: 'host' }];
}

const readinessDefaults = {
  name: 'readinessCheck',
  protocol: 'HTTP',
  path: '/',
  portName: 'http-api',
  intervalSeconds: 30,
  timeoutSeconds: 10,
  httpStatusCodesForReady: [200],
  preserveLastResponse: false,
} as const;

const fetchDefaults = { extract: true, executable: false, cache: false };
const archives = ['.tgz', '.tar.gz', '.tbz2', '.tar.bz2', '.txz', '.tar.xz', '.zip'];

function fetchOf(uri: string): FetchUri {
  return { uri, extract: archives.some((ending) => uri.endsWith(ending)), executable: false, cache: false };
}

function containerOf(input: AppInput, isHost: boolean): Container | undefined {
  const given = input.container;
  if (given === undefined && isHost) return undefined;
  const networked = networksOf(input).some((network) => network.mode === 'container/bridge');
  const mappings = given?.portMappings ?? given?.docker?.portMappings;
  const docker = given?.docker;
  return {
    type: given === undefined ? 'MESOS' : (given.type ?? 'DOCKER'),
    ...(docker === undefined
      ? {}
      : {
          docker: {
            image: docker.image ?? '',
            forcePullImage: docker.forcePullImage ?? false,
            privileged: docker.privileged ?? false,
            parameters: docker.parameters ?? [],
          },
        }),
    volumes: (given?.volumes ?? []).map(({ containerPath = '', hostPath = '', mode = 'RW' }) => ({
      containerPath,
      hostPath,
      mode,
    })),
    ...(isHost
      ? {}
      : {
          portMappings: (mappings ?? [{ containerPort: 0, name: 'default' }]).map((port) =>
            mappingOf(port, networked),
          ),
        }),
  };
}

function mappingOf(port: PortMappingInput, bridged: boolean): PortMapping {
  const hostPort = port.hostPort ?? (bridged ? 0 : undefined);
  return {
    containerPort: port.containerPort ?? 0,
    ...(hostPort === undefined ? {} : { hostPort }),
    servicePort: port.servicePort ?? 0,
    protocol: port.protocol ?? 'tcp',
    ...pick(port, 'name'),
    labels: port.labels ?? {},
    networkNames: port.networkNames ?? [],
  };
}

function portDefinitionsOf(input: AppInput): readonly PortDefinition[] {
  const given = input.portDefinitions ??
    input.ports?.map((port) => ({ port })) ?? [{ port: 0, name: 'default' }];
  return given.map((definition) => ({
    port: definition.port ?? 0,
    protocol: 'protocol' in definition && definition.protocol !== undefined ? definition.protocol : 'tcp',
    ...('name' in definition && definition.name !== undefined ? { name: definition.name } : {}),
    labels: 'labels' in definition && definition.labels !== undefined ? definition.labels : {},
  }));
}

function constraintOf([field = '', operator = '', value]: readonly string[]): Constraint {
  return {
    field,
    operator: operator.toUpperCase() as Constraint['operator'],
    ...(value === undefined ? {} : { value }),
  };
}

type CheckInput = NonNullable<AppInput['healthChecks']>[number];

function healthCheckOf(check: CheckInput): HealthCheck {
  const protocol = check.protocol ?? 'HTTP';
  const byIndex = protocol !== 'COMMAND' && check.port === undefined;
  return {
    gracePeriodSeconds: 300,
    intervalSeconds: 60,
    timeoutSeconds: 20,
    maxConsecutiveFailures: 3,
    delaySeconds: 15,
    ...(byIndex ? { portIndex: 0 } : {}),
    ...check,
    protocol,
  };
}

function parentOf(id: string): string {
  return id.slice(0, id.lastIndexOf('/')) || '/';
}

/** The named fields, as far as they are there. */
function pick<T extends object, K extends keyof T>(from: T, ...names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]),
  ) as Pick<T, K>;
}
