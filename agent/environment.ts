import { WeirError } from '../core/kit/errors.ts';
import type { App } from '../core/model/app.ts';
import type { EnvValue } from '../core/model/env-value.ts';
import { taskId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import { type PortRequest, portsOf } from '../core/model/ports.ts';
import type { Command } from './runtime.ts';

export type EnvironmentInputs = {
  readonly app: App;
  readonly placement: Placement;
  /** Of the agent. */
  readonly hostname: string;
  /** Of the instance; in host mode the agent's. */
  readonly address?: string;
  /** By source, as `app.secrets` names them. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Put before HOST and PORT…; default none. */
  readonly prefix?: string;
};

type Environment = Readonly<Record<string, string>>;

export class SecretMissing extends WeirError {
  constructor(app: string, secret: string) {
    super('WEIR_SECRET_MISSING', `Cannot launch ${app}: there is no value for secret "${secret}"`);
  }
}

/**
 * The environment of an app's task (Marathon §12); later wins: context, labels, ports and HOST, the user's own. What only
 * the runtime can know (MESOS_SANDBOX, PATH) it adds below all of these. Throws SecretMissing.
 */
export function environmentOf(inputs: EnvironmentInputs): Environment {
  const { app, placement, hostname, prefix = '' } = inputs;
  const local = { HOST: hostname, ...portVariables(portsOf(app), placement) };
  const prefixed = Object.entries(local).map(([name, value]) => [`${prefix}${name}`, value]);
  return {
    ...contextVariables(inputs),
    ...labelVariables(app.labels),
    ...Object.fromEntries(prefixed),
    ...userVariables(inputs),
  };
}

/** What a task runs (Marathon §10.1): `cmd` in a shell, or `args` for the image's entry point. */
export function commandOf(app: App): Command {
  if (app.cmd !== undefined) return { kind: 'argv', argv: ['/bin/sh', '-c', app.cmd] };
  return { kind: 'entrypoint', args: app.args ?? [] };
}

function contextVariables({ app, placement, address }: EnvironmentInputs): Environment {
  const { container } = app;
  const image = container?.type === 'DOCKER' ? container.docker?.image : undefined;
  return {
    MESOS_TASK_ID: taskId(placement.instanceId, placement.attempt),
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: app.version,
    ...(image === undefined ? {} : { MARATHON_APP_DOCKER_IMAGE: image }),
    MARATHON_APP_RESOURCE_CPUS: decimal(app.cpus),
    MARATHON_APP_RESOURCE_MEM: decimal(app.mem),
    MARATHON_APP_RESOURCE_DISK: decimal(app.disk),
    MARATHON_APP_RESOURCE_GPUS: String(app.gpus),
    MARATHON_APP_ENFORCE_GROUP_ROLE: 'FALSE',
    ...(address === undefined ? {} : { MESOS_CONTAINER_IP: address }),
  };
}

const longestLabelKey = 492;
const longestLabelValue = 511;

export function labelVariables(given: App['labels']): Environment {
  const labels = Object.entries(given)
    .filter(([key, value]) => key.length <= longestLabelKey && value.length <= longestLabelValue)
    .map(([key, value]) => [key.replaceAll(/[^a-zA-Z0-9_]+/g, '_').toUpperCase(), value] as const);
  return {
    MARATHON_APP_LABELS: labels.map(([key]) => key).join(' '),
    ...Object.fromEntries(labels.map(([key, value]) => [`MARATHON_APP_LABEL_${key}`, value])),
  };
}

function portVariables(ports: readonly PortRequest[], placement: Placement): Environment {
  if (ports.length === 0) return {};
  const variables: Record<string, string> = {};
  for (const port of ports) {
    const effective = placement.hostPorts[port.index] ?? placement.containerPorts[port.index];
    if (effective == null) continue;
    const requested = port.containerPort ?? port.servicePort;
    variables[`PORT${port.index}`] = String(effective);
    variables[`PORT_${requested === 0 ? effective : requested}`] = String(effective);
    if (port.name !== undefined) variables[`PORT_${port.name.toUpperCase()}`] = String(effective);
  }
  const drawn = ports.map((port) => {
    const { hostPorts, containerPorts } = placement;
    return port.containerPort === 0 && hostPorts[port.index] == null ? containerPorts[port.index] : null;
  });
  const all = [...ports.map((port) => placement.hostPorts[port.index]), ...drawn].filter(
    (port) => port != null,
  );
  return { ...variables, ...(all.length === 0 ? {} : { PORT: String(all[0]) }), PORTS: all.join(',') };
}

function userVariables({ app, secrets = {} }: EnvironmentInputs): Environment {
  const plain = (value: EnvValue): string => {
    if (typeof value === 'string') return value;
    const secret = secrets[app.secrets[value.secret]?.source ?? ''];
    if (secret === undefined) throw new SecretMissing(app.id, value.secret);
    return secret;
  };
  return Object.fromEntries(Object.entries(app.env).map(([name, value]) => [name, plain(value)]));
}

/** As Java prints a double: at least one decimal. */
export function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
