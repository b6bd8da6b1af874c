import { type App, isPod } from '../core/model/app.ts';
import type { Assignment } from '../core/model/master-port.ts';
import { commandOf, environmentOf } from './environment.ts';
import { podSpecsOf } from './pod-spec.ts';
import type { InstanceRecord } from './record.ts';
import type { ContainerSpec } from './runtime.ts';
import { type InstanceSetting, type SpecHost, settingOf } from './setting.ts';

/** The containers of an assignment, once its network is there (Marathon §10, §12, §19). Pure. */
export function specsOf(
  assignment: Assignment,
  record: InstanceRecord,
  host: SpecHost,
): readonly ContainerSpec[] {
  const { app, placement } = assignment;
  const setting = settingOf(assignment, record, host);
  if (isPod(app)) return podSpecsOf({ app, placement, setting, volume: host.volume });
  return [appSpec(assignment, setting)];
}

function appSpec({ app, placement }: Assignment, setting: InstanceSetting): ContainerSpec {
  const { key, address, hostname, addressVariable, files, netns, logDir } = setting;
  const image = app.container?.docker;
  return {
    id: key,
    command: commandOf(app),
    env: { ...addressVariable, ...environmentOf({ app, placement, hostname, address }) },
    ...(app.user === undefined ? {} : { user: app.user }),
    rootfs:
      image === undefined
        ? { kind: 'host' }
        : { kind: 'image', reference: image.image, forcePull: image.forcePullImage },
    mounts: (app.container?.volumes ?? []).flatMap((volume) => ('hostPath' in volume ? [volume] : [])),
    ...(app.fetch.length === 0 ? {} : { artifacts: app.fetch }),
    files,
    netns,
    cpus: app.cpus,
    mem: memCeiling(app),
    logDir: logDir(key),
    labels: { appId: app.id },
  };
}

/** MiB; beyond what any machine has, and still a whole number of bytes. */
const endlessMem = 2 ** 33;

function memCeiling({ mem, resourceLimits }: Pick<App, 'mem' | 'resourceLimits'>): number {
  const limit = resourceLimits?.mem ?? mem;
  return limit === 'unlimited' ? endlessMem : limit;
}
