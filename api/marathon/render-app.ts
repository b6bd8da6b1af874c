import type { App } from '../../core/model/app.ts';
import type { AppDraft } from './normalise.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The definition in Marathon's JSON (§1.8): absent things are left out, and so are empty ones where clients expect that. */
export function renderDefinition(app: AppDraft | App): Json {
  return {
    id: app.id,
    ...given(app, 'cmd', 'user', 'role', 'acceptedResourceRoles', 'taskKillGracePeriodSeconds', 'tty'),
    ...given(app, 'check', 'executorResources', 'resourceLimits', 'residency'),
    ...filled('args', app.args),
    ...filled('env', app.env),
    ...filled(
      'constraints',
      app.constraints.map(({ field, operator, value }) =>
        value === undefined ? [field, operator] : [field, operator, value],
      ),
    ),
    ...filled('dependencies', app.dependencies),
    ...filled('fetch', app.fetch),
    ...filled('healthChecks', app.healthChecks),
    ...filled('readinessChecks', app.readinessChecks),
    ...filled('secrets', app.secrets),
    instances: app.instances,
    cpus: app.cpus,
    mem: app.mem,
    disk: app.disk,
    gpus: app.gpus,
    executor: app.executor,
    labels: app.labels,
    ...(app.container === undefined ? {} : { container: renderContainer(app.container) }),
    networks: app.networks,
    ...(app.portDefinitions === undefined
      ? {}
      : { portDefinitions: app.portDefinitions.map(renderDefinitionPort) }),
    requirePorts: app.requirePorts,
    upgradeStrategy: app.upgradeStrategy,
    backoffSeconds: app.backoffSeconds,
    backoffFactor: app.backoffFactor,
    maxLaunchDelaySeconds: app.maxLaunchDelaySeconds,
    killSelection: app.killSelection,
    unreachableStrategy: app.unreachableStrategy,
  };
}

/** A stored app, as `GET /v2/apps/{id}/versions/{v}` gives it. */
export function renderApp(app: App): Json {
  return { ...renderDefinition(app), version: app.version, versionInfo: app.versionInfo };
}

function renderContainer({
  type,
  docker,
  volumes,
  portMappings,
  linuxInfo,
}: NonNullable<App['container']>): Json {
  return {
    type,
    ...(docker === undefined ? {} : { docker }),
    volumes,
    ...(linuxInfo === undefined ? {} : { linuxInfo }),
    ...(portMappings === undefined
      ? {}
      : {
          portMappings: portMappings.map(({ networkNames, ...port }) => ({
            ...port,
            ...filled('networkNames', networkNames),
          })),
        }),
  };
}

function renderDefinitionPort({ labels, ...port }: NonNullable<App['portDefinitions']>[number]): Json {
  return { ...port, ...filled('labels', labels) };
}

/** The field, unless there is nothing in it. */
export function filled(name: string, value: object | undefined): Json {
  return value === undefined || Object.keys(value).length === 0 ? {} : { [name]: value };
}

function given<T extends object, K extends keyof T & string>(from: T, ...names: readonly K[]): Json {
  return Object.fromEntries(
    names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]),
  );
}
