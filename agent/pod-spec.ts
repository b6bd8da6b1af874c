import type { PodApp } from '../core/model/app.ts';
import type { Placement } from '../core/model/placement.ts';
import type { PodContainer } from '../core/model/pod.ts';
import { podContainerId } from './containers.ts';
import { podEnvironmentOf } from './pod-environment.ts';
import type { Command, ContainerSpec, Mount } from './runtime.ts';
import type { InstanceSetting } from './setting.ts';

export type PodSpecInputs = {
  readonly app: PodApp;
  readonly placement: Placement;
  readonly setting: InstanceSetting;
  readonly volume: (key: string, name: string) => string;
};

/** The containers of a pod: one network, files of /etc and shared volumes; each its own program, files and limits (Marathon §19). */
export function podSpecsOf(inputs: PodSpecInputs): readonly ContainerSpec[] {
  return inputs.app.pod.containers.map((container) => containerSpec(container, inputs));
}

function containerSpec(container: PodContainer, inputs: PodSpecInputs): ContainerSpec {
  const { app, placement, setting } = inputs;
  const { key, address, hostname, addressVariable, files, netns, logDir } = setting;
  const id = podContainerId(key, container.name);
  const user = container.user ?? app.user;
  const { image, resources } = container;
  return {
    id,
    command: commandOf(container),
    env: { ...addressVariable, ...podEnvironmentOf({ app, container, placement, hostname, address }) },
    ...(user === undefined ? {} : { user }),
    rootfs:
      image === undefined
        ? { kind: 'host' }
        : { kind: 'image', reference: image.id, forcePull: image.forcePull },
    ...(container.artifacts === undefined ? {} : { artifacts: container.artifacts }),
    mounts: container.volumeMounts.flatMap((mount) => mountOf(mount, inputs)),
    files,
    netns,
    cpus: resources.cpus,
    mem: resources.mem,
    logDir: logDir(id),
    labels: { appId: app.id, container: container.name },
  };
}

/** With an image, `argv` is for its entry point unless it is to take its place. */
function commandOf({ exec, image }: PodContainer): Command {
  if (exec === undefined) return { kind: 'entrypoint', args: [] };
  if ('shell' in exec.command) return { kind: 'argv', argv: ['/bin/sh', '-c', exec.command.shell] };
  const { argv } = exec.command;
  return image === undefined || exec.overrideEntrypoint === true
    ? { kind: 'argv', argv }
    : { kind: 'entrypoint', args: argv };
}

function mountOf(
  { name, mountPath, readOnly }: PodContainer['volumeMounts'][number],
  { app, setting, volume }: PodSpecInputs,
): readonly Mount[] {
  const declared = app.pod.volumes.find((one) => one.name === name);
  if (declared === undefined || declared.kept !== undefined) return [];
  const hostPath = declared.host ?? volume(setting.key, name);
  return [{ hostPath, containerPath: mountPath, mode: readOnly ? 'RO' : 'RW' }];
}
