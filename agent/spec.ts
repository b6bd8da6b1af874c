import { join } from 'node:path';
import { type App, isHostMode } from '../core/model/app.ts';
import { safeId } from '../core/model/ids.ts';
import type { Assignment } from '../core/model/master-port.ts';
import { dnsLabel } from '../core/model/name.ts';
import { commandOf, environmentOf } from './environment.ts';
import type { InstanceRecord } from './record.ts';
import type { ContainerSpec } from './runtime.ts';

/** What a container's specification takes from the machine. */
export type SpecHost = {
  readonly hostname: string;
  /** The agent's own; containers find the resolver there. */
  readonly address: string;
  /** Containers have network stacks of their own. */
  readonly isolates: boolean;
  /** Folder of the containers' logs. */
  readonly containers: string;
};

/** The container of an assignment, once its network is there (Marathon §10, §12). Pure. */
export function specOf(assignment: Assignment, record: InstanceRecord, host: SpecHost): ContainerSpec {
  const { app, placement } = assignment;
  const id = `${placement.instanceId}.${placement.attempt}`;
  const image = app.container?.docker;
  const address = record.addresses[0]?.ip ?? host.address;
  const isolated = host.isolates && !isHostMode(app);
  const hostname = dnsLabel(`${safeId(app.id)}-${placement.instanceId.slice(-12)}`);
  return {
    id,
    command: commandOf(app),
    env: {
      // An instance without a network stack of its own must be told which of the machine's addresses is its.
      ...(isolated || isHostMode(app) ? {} : { WEIR_ADDRESS: address }),
      ...environmentOf({ app, placement, hostname: isHostMode(app) ? host.hostname : address, address }),
    },
    ...(app.user === undefined ? {} : { user: app.user }),
    rootfs:
      image === undefined
        ? { kind: 'host' }
        : { kind: 'image', reference: image.image, forcePull: image.forcePullImage },
    mounts: (app.container?.volumes ?? []).flatMap((volume) => ('hostPath' in volume ? [volume] : [])),
    files: isolated
      ? {
          resolvConf: `nameserver ${host.address}\nsearch weir\noptions timeout:1 attempts:3\n`,
          hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost\n${address}\t${hostname}\n`,
          hostname: `${hostname}\n`,
        }
      : {},
    netns: isolated && record.netns !== undefined ? { kind: 'path', path: record.netns } : { kind: 'host' },
    cpus: app.cpus,
    mem: memCeiling(app),
    logDir: join(host.containers, id, 'log'),
    labels: { appId: app.id },
  };
}

/** MiB; beyond what any machine has, and still a whole number of bytes. */
const endlessMem = 2 ** 33;

function memCeiling({ mem, resourceLimits }: Pick<App, 'mem' | 'resourceLimits'>): number {
  const limit = resourceLimits?.mem ?? mem;
  return limit === 'unlimited' ? endlessMem : limit;
}
