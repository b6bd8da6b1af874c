import type { Endpoint } from '../../core/model/directory.ts';
import { discoveryName } from '../../core/model/ids.ts';
import { dnsLabel, weirName } from '../../core/model/name.ts';
import { canonicalTask, dcosLabel, frameworkName, mesosLabel, taskHash } from '../labels.ts';
import type { ZoneOptions } from '../options.ts';
import type { Name } from '../wire/types.ts';

type Protocol = 'tcp' | 'udp';

/** Names that all endpoints of an app have in common. Made once: to join and hash names is most of what a record costs. */
export type AppNames = {
  /** In Mesos-DNS: with discovery information every record is there twice, its dots mapped and kept (dns.md §3.4). */
  readonly tasks: readonly AppTaskNames[];
  readonly dcos: DcosNames;
  /** In zone `weir`. */
  readonly weir: Name;
};

/** Of one way to write the task (dns.md §3.4). */
export type AppTaskNames = {
  readonly task: string;
  readonly name: Name;
  readonly onSlave: Name;
  readonly services: Readonly<Record<Protocol, Name>>;
  readonly servicesOnSlave: readonly Name[];
  readonly portName: (port: string, protocol: Protocol) => Name;
};

/** dns.md §9. */
type DcosNames = { readonly agent: Name; readonly container: Name; readonly auto: Name };

/** Names of one endpoint, and those of its app. */
export type EndpointNames = {
  readonly tasks: readonly TaskNames[];
  readonly dcos: DcosNames;
  /** In zone `weir`. */
  readonly instance: Name;
};

export type TaskNames = { readonly app: AppTaskNames; readonly own: Name; readonly ownOnSlave: Name };

export function appNames(appId: string, options: ZoneOptions): AppNames {
  const task = discoveryName(appId);
  const dcos = `${dcosLabel(task)}.${dcosLabel(options.framework)}`;
  const below = (kind: string) => `${dcos}.${kind}.dcos.${options.dcosDomain}`;
  return {
    tasks: [...new Set([mesosLabel(task, options.enforceRfc952), task])].map((one) =>
      taskNames(one, options),
    ),
    dcos: { agent: below('agentip'), container: below('containerip'), auto: below('autoip') },
    weir: `${weirName(appId)}.${options.weirDomain}`,
  };
}

function taskNames(task: string, options: ZoneOptions): AppTaskNames {
  const { inFramework, onSlave } = mesosZones(options);
  const services = { tcp: `_${task}._tcp.${inFramework}`, udp: `_${task}._udp.${inFramework}` };
  const byPort = new Map<string, Name>();
  return {
    task,
    name: `${task}.${inFramework}`,
    onSlave: `${task}.${onSlave}`,
    services,
    servicesOnSlave: [`_${task}._tcp.${onSlave}`, `_${task}._udp.${onSlave}`],
    portName(port, protocol) {
      const key = `${protocol} ${port}`;
      const known = byPort.get(key) ?? `_${mesosLabel(port, options.enforceRfc952)}.${services[protocol]}`;
      byPort.set(key, known);
      return known;
    },
  };
}

export function endpointNames(endpoint: Endpoint, app: AppNames, options: ZoneOptions): EndpointNames {
  const { inFramework, onSlave } = mesosZones(options);
  const hash = taskHash(endpoint.taskId);
  return {
    tasks: app.tasks.map((names) => {
      const own = canonicalTask(names.task, hash, endpoint.agentId);
      return { app: names, own: `${own}.${inFramework}`, ownOnSlave: `${own}.${onSlave}` };
    }),
    dcos: app.dcos,
    instance: `${instanceLabel(endpoint)}.${app.weir}`,
  };
}

function mesosZones({ framework, enforceRfc952, mesosDomain }: ZoneOptions) {
  const label = frameworkName(framework, enforceRfc952);
  return { inFramework: `${label}.${mesosDomain}`, onSlave: `${label}.slave.${mesosDomain}` };
}

/** `shop_web.instance-<uuid>` → `instance-<uuid>`. */
function instanceLabel({ instanceId }: Endpoint): string {
  return dnsLabel(instanceId.slice(instanceId.lastIndexOf('.') + 1));
}
