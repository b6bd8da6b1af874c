import type { Endpoint, EndpointPort, Vip } from '../../core/model/directory.ts';
import { dnsLabel } from '../../core/model/name.ts';
import type { ZoneOptions } from '../options.ts';
import type { Given } from '../record-source.ts';
import type { Name } from '../wire/types.ts';
import { type AppTaskNames, dotted, type EndpointNames, type TaskNames } from './names.ts';
import { reverseName } from './reverse.ts';
import { type ServiceTarget, Sheet, type Wanted } from './sheet.ts';

/** What an endpoint's records depend on besides itself. */
export type EndpointContext = {
  readonly options: ZoneOptions;
  /** The VIPs in front of one port of an app. */
  readonly vipsOf: (appId: string, portIndex: number) => readonly Vip[];
};

export type NamedEndpoint = { readonly endpoint: Endpoint; readonly names: EndpointNames };

/** The records of an endpoint that takes traffic. What `before` says already is taken from there. */
export function recordsOfEndpoint(
  { endpoint, names }: NamedEndpoint,
  context: EndpointContext,
  wanted: Wanted = {},
): readonly Given[] {
  const sheet = new Sheet(context.options.ttl, wanted);
  const of = { endpoint, context, names };
  const { mesosDomain, dcosDomain, weirDomain } = context.options;
  if (sheet.wantsBelow(mesosDomain)) for (const task of names.tasks) writeMesos(sheet, task, of);
  if (sheet.wantsBelow(dcosDomain)) writeDcos(sheet, of);
  writeInstance(sheet, of);
  if (sheet.wantsBelow(weirDomain)) writeWeirServices(sheet, of);
  return sheet.given;
}

type Of = NamedEndpoint & { readonly context: EndpointContext };

/** dns.md §3.4. */
function writeMesos(
  sheet: Sheet,
  { app, own, ownOnSlave }: TaskNames,
  { endpoint, context, names }: Of,
): void {
  const { srvWeight: weight } = context.options;
  const ips = taskIps(endpoint, context.options);
  const agent = [endpoint.agentAddress];
  sheet.addresses('Mesos-DNS task name', app.name, ips);
  sheet.addresses('Mesos-DNS canonical task name', own, ips);
  sheet.addresses('Mesos-DNS agents of a task', app.onSlave, agent);
  sheet.addresses('Mesos-DNS agent of a task, canonical', ownOnSlave, agent);
  for (const port of endpoint.ports) {
    const target = serviceTarget(port, {
      task: ips.includes(port.address) ? own : undefined,
      slave: ownOnSlave,
      instance: names.instance,
    });
    writeServices(sheet, app, { port, target: { ...target, weight } });
    if (port.hostPort === undefined) continue;
    const slave = { name: ownOnSlave, port: port.hostPort, weight };
    for (const service of app.servicesOnSlave)
      sheet.service('Mesos-DNS host ports of a task', service, slave);
  }
}

type MesosService = { readonly port: EndpointPort; readonly target: ServiceTarget };

function writeServices(sheet: Sheet, app: AppTaskNames, { port, target }: MesosService): void {
  for (const protocol of port.protocols) {
    sheet.service('Mesos-DNS service', app.services[protocol], target);
    if (port.name === undefined) continue;
    sheet.service('Mesos-DNS service by port name', app.portName(port.name, protocol), target);
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
function writeDcos(sheet: Sheet, { endpoint, names: { dcos } }: Of): void {
  const own = containerIps(endpoint);
  const onHost = own.length === 0 || endpoint.ports.some((port) => port.hostPort !== undefined);
  const agent = [endpoint.agentAddress];
  sheet.addresses('DC/OS agent address', dcos.agent, agent);
  sheet.addresses('DC/OS container address', dcos.container, own);
  sheet.addresses('DC/OS reachable address', dcos.auto, onHost ? agent : own);
}

function writeInstance(sheet: Sheet, { endpoint, names: { instance: own } }: Of): void {
  const ips = containerIps(endpoint);
  sheet.addresses('instance of an app', own, ips.length > 0 ? ips : [endpoint.agentAddress]);
  for (const ip of sheet.wantsBelow('arpa') ? ips : []) {
    const reverse = reverseName(ip);
    if (reverse !== undefined) sheet.target('address of an instance', 'PTR', reverse, own);
  }
}

function writeWeirServices(sheet: Sheet, { endpoint, context }: Of): void {
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
  return context.vipsOf(endpoint.appId, port.index).flatMap((vip) =>
    vip.names
      .filter((name) => name.endsWith(`.${context.options.weirDomain}`))
      .map((name) => ({
        name: dotted(`_${label}`, `_${vip.protocol}`, name),
        target: { name, port: vip.port },
      })),
  );
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
