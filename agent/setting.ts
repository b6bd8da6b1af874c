import { isHostMode } from '../core/model/app.ts';
import { type InstanceId, safeId } from '../core/model/ids.ts';
import type { Assignment } from '../core/model/master-port.ts';
import { dnsLabel } from '../core/model/name.ts';
import { type InstanceRecord, recordKey } from './record.ts';
import { containerResolvConf, hostResolvConf } from './resolv-conf.ts';
import type { ContainerSpec } from './runtime.ts';

/** What a container's specification takes from the machine. */
export type SpecHost = {
  readonly hostname: string;
  /** The agent's own. */
  readonly address: string;
  /** Where containers find the resolver. */
  readonly nameserver: string;
  /** The machine's own file, for those that have its network stack. */
  readonly resolvConf: string;
  /** Containers have network stacks of their own. */
  readonly isolates: boolean;
  /** Folder of the log of a container of an instance. */
  readonly logDir: (instance: InstanceId, container: string) => string;
  /** Where a volume that the containers of an instance share is. */
  readonly volume: (key: string, name: string) => string;
};

/** What all containers of an instance have in common. */
export type InstanceSetting = Pick<ContainerSpec, 'files' | 'netns'> & {
  readonly key: string;
  /** Of the instance; in host mode the agent's. */
  readonly address: string;
  /** What programs are told is their host. */
  readonly hostname: string;
  /** An instance without a network stack of its own must be told which of the machine's addresses is its. */
  readonly addressVariable: Readonly<Record<string, string>>;
  readonly logDir: (container: string) => string;
};

export function settingOf(assignment: Assignment, record: InstanceRecord, host: SpecHost): InstanceSetting {
  const { app, placement } = assignment;
  const address = record.addresses[0]?.ip ?? host.address;
  const isolated = host.isolates && !isHostMode(app);
  const hostname = dnsLabel(`${safeId(app.id)}-${placement.instanceId.slice(-12)}`);
  return {
    key: recordKey(assignment),
    address,
    hostname: isHostMode(app) ? host.hostname : address,
    addressVariable: isolated || isHostMode(app) ? {} : { WEIR_ADDRESS: address },
    files: isolated
      ? {
          resolvConf: containerResolvConf(app.id, host.nameserver),
          hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost\n${address}\t${hostname}\n`,
          hostname: `${hostname}\n`,
        }
      : host.isolates
        ? { resolvConf: hostResolvConf(app.id, host.nameserver, host.resolvConf) }
        : {},
    netns: isolated && record.netns !== undefined ? { kind: 'path', path: record.netns } : { kind: 'host' },
    logDir: (container) => host.logDir(placement.instanceId, container),
  };
}
