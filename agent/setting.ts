import { isHostMode } from '../core/model/app.ts';
import { type InstanceId, safeId } from '../core/model/ids.ts';
import type { Assignment } from '../core/model/master-port.ts';
import { dnsLabel, weirName } from '../core/model/name.ts';
import { type InstanceRecord, recordKey } from './record.ts';
import type { ContainerSpec } from './runtime.ts';

/** What a container's specification takes from the machine. */
export type SpecHost = {
  readonly hostname: string;
  /** The agent's own. */
  readonly address: string;
  /** Where containers find the resolver. */
  readonly nameserver: string;
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
          resolvConf: resolvConf(app.id, host.nameserver),
          hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost\n${address}\t${hostname}\n`,
          hostname: `${hostname}\n`,
        }
      : {},
    netns: isolated && record.netns !== undefined ? { kind: 'path', path: record.netns } : { kind: 'host' },
    logDir: (container) => host.logDir(placement.instanceId, container),
  };
}

/**
 * `ndots:0`: every name is asked as it is first, and the resolver completes it by the group of who asks, in one query. It does not know
 * a container before that is announced; until then the search list is what helps.
 */
function resolvConf(appId: string, nameserver: string): string {
  const labels = weirName(appId).split('.');
  const domains = labels.map((_, index) => [...labels.slice(index + 1), 'weir'].join('.'));
  return [
    `nameserver ${nameserver}`,
    // more domains than six are not taken by every C library
    `search ${domains.slice(-6).join(' ')}`,
    'options ndots:0 timeout:1 attempts:3',
    '',
  ].join('\n');
}
