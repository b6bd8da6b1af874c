import type { Agent } from '../../core/model/agent.ts';
import type { App, Container, PortDefinition, ReadinessCheck } from '../../core/model/app.ts';
import type { Constraint } from '../../core/model/constraint.ts';
import type { Pod } from '../../core/model/pod.ts';
import { tcpCheck } from '../../core/state/testing/apps.ts';

/** A command's words: `update /web instances=3 force` → names ['/web'], fields {instances: '3'}, flags {'force'}. */
export type Words = {
  readonly verb: string;
  readonly names: readonly string[];
  readonly fields: ReadonlyMap<string, string>;
};

export function wordsOf(command: string): Words {
  const [verb = '', ...words] = command.split(/\s+/);
  const fields = words.filter((word) => word.includes('='));
  return {
    verb,
    names: words.filter((word) => !word.includes('=')),
    fields: new Map(
      fields.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
    ),
  };
}

/** How each word of an app definition reads. */
const appWords: Readonly<Record<string, (value: string) => Partial<App>>> = {
  instances: (value) => ({ instances: Number(value) }),
  cpus: (value) => ({ cpus: Number(value) }),
  mem: (value) => ({ mem: Number(value) }),
  cmd: (value) => ({ cmd: value }),
  port: (value) => ({ portDefinitions: [port(Number(value))], requirePorts: Number(value) > 0 }),
  vip: (value) => ({ portDefinitions: [{ ...port(0), labels: { VIP_0: value } }] }),
  constraint: (value) => ({ constraints: value.split(',').map(constraint) }),
  deps: (value) => ({ dependencies: value.split(',') }),
  upgrade: (value) => {
    const [minimumHealthCapacity = 1, maximumOverCapacity = 1] = value.split('/').map(Number);
    return { upgradeStrategy: { minimumHealthCapacity, maximumOverCapacity } };
  },
  checked: () => ({ healthChecks: [tcpCheck] }),
  /** `http:3`: a check that a scheduler would make, with a maximum of 3; `node:3`: one of the node. */
  check: (value) => {
    const [kind, most] = value.split(':');
    const protocol = kind === 'http' ? 'HTTP' : 'MESOS_HTTP';
    return { healthChecks: [{ ...tcpCheck, protocol, maxConsecutiveFailures: Number(most) }] };
  },
  readiness: () => ({ readinessChecks: [readinessCheck] }),
  brake: (value) => ({ labels: { WEIR_HEALTH_BRAKE: value } }),
  pod: (value) => ({ pod: podOf(value.split(',')) }),
  gpus: (value) => ({ gpus: Number(value) }),
  network: (name) => ({ networks: [{ mode: 'container', name }], container: onNetwork }),
  kill: (value) => ({ killSelection: value === 'oldest' ? 'OLDEST_FIRST' : 'YOUNGEST_FIRST' }),
  unreachable: (value) => ({ unreachableStrategy: value === 'disabled' ? 'disabled' : patience(value) }),
  maxDelay: (value) => ({ maxLaunchDelaySeconds: Number(value) }),
  roles: (value) => ({ acceptedResourceRoles: value.split(',') }),
};

const onNetwork: Container = { type: 'MESOS', volumes: [], portMappings: [] };

const readinessCheck: ReadinessCheck = {
  name: 'ready',
  protocol: 'HTTP',
  path: '/',
  portName: 'http-api',
  intervalSeconds: 30,
  timeoutSeconds: 10,
  httpStatusCodesForReady: [200],
  preserveLastResponse: false,
};

export function appFields(fields: ReadonlyMap<string, string>): Partial<App> {
  return Object.assign({}, ...[...fields].map(([name, value]) => readWord(name, value)));
}

export function agentFields(fields: ReadonlyMap<string, string>): Partial<Agent> {
  const known = ['cpus', 'mem', 'gpus', 'consumers', 'ports'];
  const [begin = 31_000, end = 31_999] = (fields.get('ports') ?? '').split('-').filter(Boolean).map(Number);
  return {
    resources: {
      cpus: Number(fields.get('cpus') ?? 4),
      mem: Number(fields.get('mem') ?? 4096),
      disk: 10_000,
      gpus: Number(fields.get('gpus') ?? 0),
    },
    ports: [{ begin, end }],
    consumers: (fields.get('consumers') ?? '').split(',').filter(Boolean),
    attributes: Object.fromEntries([...fields].filter(([name]) => !known.includes(name))),
  };
}

/** `1m30s`, `500ms`. */
export function duration(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  return [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? 'ms'] ?? 1),
    0,
  );
}

function readWord(name: string, value: string): Partial<App> {
  const read = appWords[name];
  if (read === undefined) throw new Error(`no such word in an app definition: ${name}`);
  return read(value);
}

/** Containers of these names; those written `name:port` have a fixed host port, `name:0` a drawn one. */
function podOf(words: readonly string[]): Pod {
  const resources = { cpus: 0, mem: 0, disk: 0, gpus: 0 };
  const containers = words.map((word) => {
    const [name = '', hostPort] = word.split(':');
    const endpoint = { name, protocol: ['tcp' as const], labels: {}, networkNames: [] };
    return {
      ...{ name, resources, environment: {}, labels: {}, volumeMounts: [] },
      endpoints: hostPort === undefined ? [] : [{ ...endpoint, hostPort: Number(hostPort) }],
    };
  });
  return { containers, volumes: [], executorResources: resources };
}

function port(number: number): PortDefinition {
  return { port: number, protocol: 'tcp', labels: {} };
}

function constraint(text: string): Constraint {
  const [field = '', operator = '', value] = text.split(':');
  return { field, operator: operatorOf(operator), ...(value === undefined ? {} : { value }) };
}

function operatorOf(text: string): Constraint['operator'] {
  const operators = ['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'UNLIKE', 'MAX_PER', 'IS'] as const;
  const found = operators.find((operator) => operator === text);
  if (found === undefined) throw new Error(`no such operator: ${text}`);
  return found;
}

function patience(text: string): { inactiveAfterSeconds: number; expungeAfterSeconds: number } {
  const [inactiveAfterSeconds = 0, expungeAfterSeconds = 0] = text.split('/').map(Number);
  return { inactiveAfterSeconds, expungeAfterSeconds };
}
