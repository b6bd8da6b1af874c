import { checkId } from './app-id.ts';
import type { AppInput } from './app-schema.ts';
import { checkConstraints } from './check-constraints.ts';
import { checkNetworks } from './check-networks.ts';
import { checkNotSupported } from './check-supported.ts';
import type { Faults } from './schema.ts';

/** Meaning level of an app document (Marathon §10.1–§10.4, §14). Notes every fault, at its path. */
export function checkApp(input: AppInput, id: string, faults: Faults): void {
  checkId(id, '/id', faults);
  checkCommand(input, faults);
  checkNetworks(input, faults);
  checkConstraints(input.constraints ?? [], faults);
  checkHealth(input, faults);
  checkReadiness(input, faults);
  checkLists(input, faults);
  checkStrategies(input, faults);
  checkNotSupported(input, faults);
}

function checkCommand(input: AppInput, faults: Faults): void {
  const both = input.cmd !== undefined && input.args !== undefined;
  const type = input.container?.type ?? 'DOCKER';
  const runnable =
    input.container !== undefined && (type === 'MESOS' || input.container.docker !== undefined);
  const either = input.cmd !== undefined || input.args !== undefined || runnable;
  if (both || !either) {
    faults.add('/', "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.");
  }
  if (input.container !== undefined && type === 'DOCKER' && input.container.docker === undefined) {
    faults.add('/container/docker', 'not defined');
  }
  if (input.container?.docker !== undefined && !input.container.docker.image) {
    faults.add('/container/docker/image', 'must not be empty');
  }
  if (input.args?.length === 0 && input.container?.docker === undefined) {
    faults.add('/args', 'must name a program: there is no image whose entry point it could be passed to');
  }
}

function checkHealth(input: AppInput, faults: Faults): void {
  const checks = input.healthChecks ?? [];
  const ports = portCount(input);
  const nodeSide = checks.filter(
    (check) => (check.protocol ?? 'HTTP').startsWith('MESOS_') || check.protocol === 'COMMAND',
  );
  const onlyCommands = nodeSide.every((check) => check.protocol === 'COMMAND');
  if (nodeSide.length > 1 && !onlyCommands) {
    faults.add('/healthChecks', 'AppDefinition can contain at most one Mesos health check');
  }
  for (const [index, check] of checks.entries()) {
    const path = `/healthChecks(${index})`;
    if (check.protocol === 'COMMAND') {
      if (check.command === undefined) faults.add(`${path}/command`, 'must be given for protocol COMMAND');
      continue;
    }
    if (check.port === undefined && (check.portIndex ?? 0) >= ports) {
      faults.add(
        path,
        'Health check port indices must address an element of the ports array or container port mappings.',
      );
    }
  }
}

function checkReadiness(input: AppInput, faults: Faults): void {
  const checks = input.readinessChecks ?? [];
  if (checks.length > 1) faults.add('/readinessChecks', 'may contain at most one element');
  for (const [index, check] of checks.entries()) {
    if ((check.timeoutSeconds ?? 10) >= (check.intervalSeconds ?? 30)) {
      faults.add(`/readinessChecks(${index})/timeoutSeconds`, 'must be less than intervalSeconds');
    }
    const name = check.portName ?? 'http-api';
    if (!portNames(input).includes(name)) {
      faults.add(`/readinessChecks(${index})/portName`, `No port definition reference for portName ${name}`);
    }
  }
}

function checkLists(input: AppInput, faults: Faults): void {
  if (hasDuplicates(input.dependencies ?? [])) faults.add('/dependencies', 'must not contain duplicates');
  if (input.acceptedResourceRoles?.length === 0) faults.add('/acceptedResourceRoles', 'must not be empty');
  if (input.acceptedResourceRoles?.some((role) => role !== '*')) {
    faults.add('/acceptedResourceRoles', 'acceptedResourceRoles can only contain * and *');
  }
  if (
    input.uris !== undefined &&
    input.fetch !== undefined &&
    input.uris.length > 0 &&
    input.fetch.length > 0
  ) {
    faults.add('/uris', 'may not be set in conjunction with fetch');
  }
  for (const name of Object.keys(input.env ?? {}))
    if (name === '') faults.add('/env', 'must not contain an empty name');
}

function checkStrategies(input: AppInput, faults: Faults): void {
  const strategy = input.unreachableStrategy;
  if (strategy !== undefined && strategy !== 'disabled') {
    const { inactiveAfterSeconds: inactive = 0, expungeAfterSeconds: expunge = 0 } = strategy;
    if (inactive > expunge) {
      const error = `inactiveAfterSeconds (${inactive}) must be less or equal to expungeAfterSeconds, which is ${expunge}`;
      faults.add('/unreachableStrategy', error);
    }
  }
  if (input.labels?.['MARATHON_SINGLE_INSTANCE_APP'] !== 'true') return;
  if ((input.instances ?? 1) > 1) faults.add('/', 'Single instance app may only have one instance');
  const { minimumHealthCapacity = 1, maximumOverCapacity = 1 } = input.upgradeStrategy ?? {};
  if (minimumHealthCapacity !== 0 || maximumOverCapacity !== 0) {
    faults.add(
      '/upgradeStrategy',
      'Single instance app must have minimumHealthCapacity 0 and maximumOverCapacity 0',
    );
  }
}

function portNames(input: AppInput): readonly (string | undefined)[] {
  const mappings = input.container?.portMappings ?? [];
  return [...mappings, ...(input.portDefinitions ?? [])].map((port) => port.name);
}

/** How many ports the app has once defaults are filled in. */
function portCount(input: AppInput): number {
  const mappings = input.container?.portMappings ?? input.container?.docker?.portMappings;
  const networked =
    input.networks?.some((network) => (network.mode ?? 'container') !== 'host') ??
    input.ipAddress !== undefined;
  if (networked || mappings !== undefined) return mappings?.length ?? 1;
  return input.portDefinitions?.length ?? input.ports?.length ?? 1;
}

function hasDuplicates(items: readonly unknown[]): boolean {
  return new Set(items).size !== items.length;
}
