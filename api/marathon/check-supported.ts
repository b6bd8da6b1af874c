import type { AppInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

/** What Marathon takes and Weir cannot act on yet is refused by name, never ignored. */
export function checkNotSupported(input: AppInput, faults: Faults): void {
  const refuse = (path: string, what: string) => faults.add(path, `not supported yet: ${what}`);
  for (const [index, volume] of (input.container?.volumes ?? []).entries()) {
    const path = `/container/volumes(${index})`;
    if (volume.persistent !== undefined) refuse(`${path}/persistent`, 'persistent volumes');
    else if (volume.external !== undefined) refuse(`${path}/external`, 'external volumes');
    else if (volume.secret !== undefined) refuse(`${path}/secret`, 'secret volumes');
    else {
      if (!volume.hostPath) faults.add(`${path}/hostPath`, 'must not be empty');
      if (!volume.containerPath) faults.add(`${path}/containerPath`, 'must not be empty');
    }
  }
  for (const [name, value] of Object.entries(input.env ?? {})) {
    if (typeof value !== 'string') refuse(`/env/${name}/secret`, 'secrets');
  }
  if (Object.keys(input.secrets ?? {}).length > 0) refuse('/secrets', 'secrets');
  if ((input.gpus ?? 0) > 0) refuse('/gpus', 'GPU resources');
  if (input.residency !== undefined) refuse('/residency', 'resident apps');
  if (input.check !== undefined) refuse('/check', 'general checks');
  if ((input.readinessChecks ?? []).length > 0) refuse('/readinessChecks', 'readiness checks');
  if ((input.fetch ?? []).length > 0 || (input.uris ?? []).length > 0)
    refuse('/fetch', 'fetching files into the sandbox');
  if (input.ipAddress?.discovery !== undefined)
    refuse('/ipAddress/discovery', 'discovery ports; use container.portMappings');
  if (input.container?.docker?.pullConfig !== undefined)
    refuse('/container/docker/pullConfig', 'pull secrets');
  if (input.container?.docker?.privileged === true)
    refuse('/container/docker/privileged', 'privileged containers');
  if ((input.container?.docker?.parameters ?? []).length > 0)
    refuse('/container/docker/parameters', 'parameters of the Docker engine');
  if (input.container?.linuxInfo !== undefined) refuse('/container/linuxInfo', 'seccomp and IPC settings');
  if (input.tty === true) refuse('/tty', 'terminals');
}
