import type { LinuxInfo } from '../../core/model/app.ts';
import type { AppInput, ContainerInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

/** Marathon §10.4. */
export function checkContainer(input: AppInput, faults: Faults): void {
  const container = input.container;
  if (container === undefined) return;
  if (container.type === 'MESOS') checkMesos(container, faults);
  else checkDocker(container, faults);
  if (container.docker?.credential !== undefined)
    faults.add('/container/docker/credential', 'is no longer taken; configure the registry on the agents');
  if ((input.gpus ?? 0) > 0 && container.type !== 'MESOS')
    faults.add('/', 'GPU resources only work with the Mesos containerizer');
}

function checkMesos({ docker, linuxInfo = {} }: ContainerInput, faults: Faults): void {
  checkLinuxInfo(linuxInfo, faults);
  if (docker?.network !== undefined) faults.add('/container/docker/network', 'must be empty');
  if ((docker?.portMappings ?? []).length > 0) faults.add('/container/docker/portMappings', 'must be empty');
  if ((docker?.parameters ?? []).length > 0) faults.add('/container/docker/parameters', 'must be empty');
}

function checkLinuxInfo({ seccomp, ipcInfo }: LinuxInfo, faults: Faults): void {
  if (seccomp !== undefined && (seccomp.profileName === undefined) !== (seccomp.unconfined === true))
    faults.add('/container/linuxInfo/seccomp', 'must have exactly one of profileName and unconfined = true');
  if (ipcInfo?.mode === 'SHARE_PARENT' && ipcInfo.shmSize !== undefined)
    faults.add('/container/linuxInfo/ipcInfo', 'shmSize is not allowed with mode SHARE_PARENT');
}

function checkDocker({ docker, linuxInfo }: ContainerInput, faults: Faults): void {
  if (docker === undefined) faults.add('/container/docker', 'not defined');
  if (docker?.pullConfig !== undefined)
    faults.add('/container/docker/pullConfig', 'pullConfig is not supported with Docker containerizer');
  if (linuxInfo !== undefined) faults.add('/container/linuxInfo', 'is for containers of type MESOS only');
}
