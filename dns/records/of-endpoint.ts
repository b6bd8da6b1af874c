import type { Endpoint, EndpointPort, Vip } from '../../core/model/directory.ts';
import { discoveryName } from '../../core/model/ids.ts';
import { dnsLabel, weirName } from '../../core/model/name.ts';
import { canonicalTask, dcosLabel, frameworkName, mesosLabel } from '../labels.ts';
import type { ZoneOptions } from '../options.ts';
import type { Given } from '../record-set.ts';
import type { Name } from '../wire/types.ts';
import { reverseName } from './reverse.ts';
import { type ServiceTarget, Sheet } from './sheet.ts';

/** What an endpoint's records depend on besides itself. */
export type EndpointContext = {
  readonly options: ZoneOptions;
  /** The VIPs in front of one port of an app. */
  readonly vipsOf: (appId: string, portIndex: number) => readonly Vip[];
  readonly namesOf: (appId: string) => AppNames;
  /** taskHash of the endpoint's task. */
  readonly hashOf: (endpoint: Endpoint) => string;
};

/** What all endpoints of an app are named by. */
export type AppNames = {
  /** In Mesos-DNS: with discovery information every record is there twice, its dots mapped and kept (dns.md §3.4). */
  readonly tasks: readonly string[];
  readonly framework: Name;
  /** Task and framework in DC/OS's zones. */
  readonly dcos: Name;
  /** In zone `weir`. */
  readonly weir: Name;
};

export function appNames(appId: string, options: ZoneOptions): AppNames {
  const task = discoveryName(appId);
  return {
    tasks: [...new Set([mesosLabel(task, options.enforceRfc952), task])],
    framework: frameworkName(options.framework, options.enforceRfc952),
    dcos: `${dcosLabel(task)}.${dcosLabel(options.framework)}`,
    weir: `${weirName(appId)}.${options.weirDomain}`,
  };
}

/** All records of an endpoint that takes traffic; none of one that does not. */
export function recordsOfEndpoint(endpoint: Endpoint, context: EndpointContext): readonly Given[] {
  if (!endpoint.ready) return [];
  const sheet = new Sheet(`endpoint:${endpoint.instanceId}`, context.options.ttl);
  const names = context.namesOf(endpoint.appId);
  const of = { endpoint, context, names, hash: context.hashOf(endpoint) };
  for (const task of names.tasks) writeMesos(sheet, task, of);
  writeDcos(sheet, of);
  writeWeir(sheet, of);
  return sheet.given;
}

type Of = {
  readonly endpoint: Endpoint;
  readonly context: EndpointContext;
  readonly names: AppNames;
  /** Of the task's id. */
  readonly hash: string;
};

/** dns.md §3.4. */
function writeMesos(sheet: Sheet, task: string, { endpoint, context, names, hash }: Of): void {
  const { enforceRfc952, mesosDomain, srvWeight: weight } = context.options;
  const { framework } = names;
  const inFramework = `${framework}.${mesosDomain}`;
  const onSlave = `${framework}.slave.${mesosDomain}`;
  const own = canonicalTask(task, hash, endpoint.agentId);
  const ips = taskIps(endpoint, context.options);
  sheet.addresses('Mesos-DNS task name', `${task}.${inFramework}`, ips);
  sheet.addresses('Mesos-DNS canonical task name', `${own}.${inFramework}`, ips);
  sheet.addresses('Mesos-DNS agents of a task', `${task}.${onSlave}`, [endpoint.agentAddress]);
  sheet.addresses('Mesos-DNS agent of a task, canonical', `${own}.${onSlave}`, [endpoint.agentAddress]);
  for (const port of endpoint.ports) {
    const target = serviceTarget(port, {
      task: ips.includes(port.address) ? `${own}.${inFramework}` : undefined,
      slave: `${own}.${onSlave}`,
      instance: instanceName(endpoint, names),
    });
    const portName = port.name && mesosLabel(port.name, enforceRfc952);
    writeServices(sheet, `_${task}`, { port, portName, target: { ...target, weight }, inFramework });
    if (port.hostPort === undefined) continue;
    for (const protocol of ['tcp', 'udp']) {
      const slave = { name: `${own}.${onSlave}`, port: port.hostPort, weight };
      sheet.service('Mesos-DNS host ports of a task', `_${task}._${protocol}.${onSlave}`, slave);
    }
  }
}

type MesosService = {
  readonly port: EndpointPort;
  readonly portName: string | undefined;
  readonly target: ServiceTarget;
  readonly inFramework: Name;
};

function writeServices(sheet: Sheet, task: string, of: MesosService): void {
  const { port, portName, target, inFramework } = of;
  for (const protocol of port.protocols) {
    const service = `${task}._${protocol}.${inFramework}`;
    sheet.service('Mesos-DNS service', service, target);
    if (portName === undefined) continue;
    sheet.service('Mesos-DNS service by port name', `_${portName}.${service}`, target);
  }
}

/**
 * A name whose addresses are those the port is reachable at (dns.md §15.5): the task's own name where that has them, else
 * the agent's with its host port, else the container's.
 */
function serviceTarget(
  port: EndpointPort,
  names: { readonly task: Name | undefined; readonly slave: Name; readonly instance: Name },
): ServiceTarget {
  if (names.task !== undefined) return { name: names.task, port: port.port };
  if (port.hostPort !== undefined) return { name: names.slave, port: port.hostPort };
  return { name: names.instance, port: port.port };
}

/** dns.md §9. */
function writeDcos(sheet: Sheet, { endpoint, context, names: { dcos: name } }: Of): void {
  const { dcosDomain } = context.options;
  const own = containerIps(endpoint);
  const onHost = own.length === 0 || endpoint.ports.some((port) => port.hostPort !== undefined);
  sheet.addresses('DC/OS agent address', `${name}.agentip.dcos.${dcosDomain}`, [endpoint.agentAddress]);
  sheet.addresses('DC/OS container address', `${name}.containerip.dcos.${dcosDomain}`, own);
  const auto = onHost ? [endpoint.agentAddress] : own;
  sheet.addresses('DC/OS reachable address', `${name}.autoip.dcos.${dcosDomain}`, auto);
}

function writeWeir(sheet: Sheet, { endpoint, context, names }: Of): void {
  const own = instanceName(endpoint, names);
  const ips = containerIps(endpoint);
  sheet.addresses('instance of an app', own, ips.length > 0 ? ips : [endpoint.agentAddress]);
  for (const ip of ips) {
    const reverse = reverseName(ip);
    if (reverse !== undefined) sheet.target('address of an instance', 'PTR', reverse, own);
  }
  for (const port of endpoint.ports) {
    for (const service of weirServices(endpoint, port, context)) {
      sheet.service('port of an app, at its VIP', service.name, service.target);
    }
  }
}

type Service = { readonly name: Name; readonly target: ServiceTarget };

/** `_http._tcp.web.shop.weir` → `web.shop.weir` and the VIP's port: the one address that never changes. */
function weirServices(endpoint: Endpoint, port: EndpointPort, context: EndpointContext): readonly Service[] {
  if (port.name === undefined) return [];
  const label = dnsLabel(port.name);
  return context
    .vipsOf(endpoint.appId, port.index)
    .flatMap((vip) =>
      vip.names
        .filter((name) => name.endsWith(`.${context.options.weirDomain}`))
        .map((name) => ({ name: `_${label}._${vip.protocol}.${name}`, target: { name, port: vip.port } })),
    );
}

/** `shop_web.instance-<uuid>` → `instance-<uuid>.web.shop.weir`. */
function instanceName({ instanceId }: Endpoint, names: AppNames): Name {
  return `${dnsLabel(instanceId.slice(instanceId.lastIndexOf('.') + 1))}.${names.weir}`;
}

/** dns.md §3.3. */
function taskIps(endpoint: Endpoint, options: ZoneOptions): readonly string[] {
  const bySource = { netinfo: endpoint.addresses.map((at) => at.ip), host: [endpoint.agentAddress] };
  return options.ipSources.map((source) => bySource[source]).find((ips) => ips.length > 0) ?? [];
}

/** Addresses that are the container's own, not its machine's. */
function containerIps(endpoint: Endpoint): readonly string[] {
  return endpoint.addresses.map((at) => at.ip).filter((ip) => ip !== endpoint.agentAddress);
}
