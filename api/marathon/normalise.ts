import type { App, PortDefinition, UpgradeStrategy } from '../../core/model/app.ts';
import type { GeneralCheck } from '../../core/model/checks.ts';
import type { Constraint } from '../../core/model/constraint.ts';
import type { FetchUri } from '../../core/model/fetch-uri.ts';
import type { HealthCheck } from '../../core/model/health-check.ts';
import { absoluteId } from './app-id.ts';
import type { AppInput, HealthCheckInput } from './app-schema.ts';
import { containerOf } from './container-of.ts';
import { fetchUriOf } from './fetch-schema.ts';
import { networksOf } from './networks-of.ts';
import { pick } from './pick.ts';
import { isResident, keepsData, residencyOf } from './residency-of.ts';

/** Definition without what the server assigns. */
export type AppDraft = Omit<App, 'version' | 'versionInfo'>;

/**
 * Fills in defaults and translates the forms of Marathon before 1.5 (§11.7). Takes any input of the right types and
 * never throws; the result is only a definition if `checkApp` finds no fault with it.
 */
export function normalise(input: AppInput, id: string): AppDraft {
  const networks = networksOf(input);
  const isHost = networks.every((network) => network.mode === 'host');
  const container = containerOf(input, isHost);
  return {
    id,
    ...pick(input, 'cmd', 'user', 'role', 'acceptedResourceRoles', 'taskKillGracePeriodSeconds', 'tty'),
    ...(input.args === undefined || input.args.length === 0 ? {} : { args: input.args }),
    instances: input.instances ?? 1,
    cpus: input.cpus ?? 1,
    mem: input.mem ?? 128,
    disk: input.disk ?? 0,
    gpus: input.gpus ?? 0,
    env: input.env ?? {},
    labels: input.labels ?? {},
    executor: input.executor ?? '',
    ...pick(input, 'resourceLimits'),
    ...(input.executorResources === undefined
      ? {}
      : { executorResources: { ...executorDefaults, ...input.executorResources } }),
    ...residencyOf(input),
    ...(container === undefined ? {} : { container }),
    networks,
    ...(isHost ? { portDefinitions: portDefinitionsOf(input) } : {}),
    requirePorts: isHost && (input.requirePorts ?? false),
    constraints: (input.constraints ?? []).map(constraintOf),
    dependencies: (input.dependencies ?? []).map((dependency) => absoluteId(dependency, parentOf(id))),
    healthChecks: (input.healthChecks ?? []).map(healthCheckOf),
    readinessChecks: (input.readinessChecks ?? []).map((check) => ({ ...readinessDefaults, ...check })),
    ...(input.check === undefined ? {} : { check: generalCheckOf(input.check) }),
    upgradeStrategy: input.upgradeStrategy ?? defaultStrategy(input),
    backoffSeconds: input.backoffSeconds ?? 1,
    backoffFactor: input.backoffFactor ?? 1.15,
    maxLaunchDelaySeconds: input.maxLaunchDelaySeconds ?? 3600,
    killSelection: input.killSelection ?? 'YOUNGEST_FIRST',
    unreachableStrategy: unreachableOf(input),
    fetch: [...(input.fetch ?? []).map(fetchUriOf), ...(input.uris ?? []).map(fetchOf)],
    secrets: input.secrets ?? {},
  };
}

/** Whether the app says of itself that two of it must never run. */
export function isSingle(input: AppInput): boolean {
  return input.labels?.['MARATHON_SINGLE_INSTANCE_APP'] === 'true';
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

const executorDefaults = { cpus: 0.1, mem: 32, disk: 10 };
const archives = ['.tgz', '.tar.gz', '.tbz2', '.tar.bz2', '.txz', '.tar.xz', '.zip'];

function fetchOf(uri: string): FetchUri {
  return { uri, extract: archives.some((ending) => uri.endsWith(ending)), executable: false, cache: false };
}

function portDefinitionsOf(input: AppInput): readonly PortDefinition[] {
  const given: AppInput['portDefinitions'] = input.portDefinitions ?? input.ports?.map((port) => ({ port }));
  return (given ?? [{ port: 0, name: 'default' }]).map((definition) => ({
    port: definition.port ?? 0,
    protocol: definition.protocol ?? 'tcp',
    ...pick(definition, 'name'),
    labels: definition.labels ?? {},
  }));
}

function constraintOf([field = '', operator = '', value]: readonly string[]): Constraint {
  return {
    field,
    operator: operator.toUpperCase() as Constraint['operator'],
    ...(value === undefined ? {} : { value }),
  };
}

function healthCheckOf(check: HealthCheckInput): HealthCheck {
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

function generalCheckOf(check: NonNullable<AppInput['check']>): GeneralCheck {
  return { intervalSeconds: 60, timeoutSeconds: 20, delaySeconds: 15, ...check };
}

/**
 * Weir's choice for single-instance apps, whose only possible strategy Marathon wants to be told (§10.3). Where data is kept,
 * two instances must not have it at once.
 */
function defaultStrategy(input: AppInput): UpgradeStrategy {
  if (keepsData(input)) return { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 };
  const capacity = isSingle(input) ? 0 : 1;
  return { minimumHealthCapacity: capacity, maximumOverCapacity: capacity };
}

function unreachableOf(input: AppInput): App['unreachableStrategy'] {
  const given = input.unreachableStrategy ?? (isResident(input) ? 'disabled' : {});
  if (given === 'disabled') return 'disabled';
  return { inactiveAfterSeconds: 0, expungeAfterSeconds: 0, ...given };
}

function parentOf(id: string): string {
  return id.slice(0, id.lastIndexOf('/')) || '/';
}
