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
  const below = (kind: string) => dotted(dcos, kind, 'dcos', options.dcosDomain);
  return {
    tasks: [...new Set([mesosLabel(task, options.enforceRfc952), task])].map((one) =>
      taskNames(one, options),
    ),
    dcos: { agent: below('agentip'), container: below('containerip'), auto: below('autoip') },
    weir: dotted(weirName(appId), options.weirDomain),
  };
}

function taskNames(task: string, options: ZoneOptions): AppTaskNames {
  const { inFramework, onSlave } = mesosZones(options);
  const services = {
    tcp: dotted(`_${task}`, '_tcp', inFramework),
    udp: dotted(`_${task}`, '_udp', inFramework),
  };
  return {
    task,
    name: dotted(task, inFramework),
    onSlave: dotted(task, onSlave),
    services,
    servicesOnSlave: [dotted(`_${task}`, '_tcp', onSlave), dotted(`_${task}`, '_udp', onSlave)],
    portName: (port, protocol) => dotted(`_${mesosLabel(port, options.enforceRfc952)}`, services[protocol]),
  };
}

export function endpointNames(endpoint: Endpoint, app: AppNames, options: ZoneOptions): EndpointNames {
  const { inFramework, onSlave } = mesosZones(options);
  const hash = taskHash(endpoint.taskId);
  return {
    tasks: app.tasks.map((names) => {
      const own = canonicalTask(names.task, hash, endpoint.agentId);
      return { app: names, own: dotted(own, inFramework), ownOnSlave: dotted(own, onSlave) };
    }),
    dcos: app.dcos,
    instance: dotted(instanceLabel(endpoint), app.weir),
  };
}

function mesosZones({ framework, enforceRfc952, mesosDomain }: ZoneOptions) {
  const label = frameworkName(framework, enforceRfc952);
  return { inFramework: `${label}.${mesosDomain}`, onSlave: `${label}.slave.${mesosDomain}` };
}

/** In one piece: what is put together otherwise remains a chain of its pieces, beside the whole. */
export function dotted(...labels: readonly string[]): Name {
  return labels.join('.');
}

/** `shop_web.instance-<uuid>` → `instance-<uuid>`. */
function instanceLabel({ instanceId }: Endpoint): string {
  return dnsLabel(instanceId.slice(instanceId.lastIndexOf('.') + 1));
}
