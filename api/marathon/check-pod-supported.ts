import type { EnvValue } from '../../core/model/env-value.ts';
import type { PodContainerInput, PodInput } from './pod-schema.ts';
import type { Faults } from './schema.ts';

/** What Marathon takes and Weir cannot act on yet is refused by name, never ignored. */
export function checkPodNotSupported(input: PodInput, faults: Faults): void {
  const refuse = refuser(faults);
  refuse(Object.keys(input.secrets ?? {}).length > 0, '/secrets', 'secrets');
  refuse(input.role !== undefined && input.role !== '*', '/role', 'roles other than *');
  refuse(input.linuxInfo !== undefined, '/linuxInfo', 'seccomp and IPC settings');
  for (const [index, volume] of (input.volumes ?? []).entries()) {
    refuse(volume.persistent !== undefined, `/volumes(${index})/persistent`, 'persistent volumes');
    refuse(volume.secret !== undefined, `/volumes(${index})/secret`, 'secret volumes');
  }
  for (const [index, container] of input.containers.entries())
    checkContainer(container, `/containers(${index})`, faults);
}

function checkContainer(container: PodContainerInput, at: string, faults: Faults): void {
  const refuse = refuser(faults);
  refuse((container.resources.gpus ?? 0) > 0, `${at}/resources/gpus`, 'GPU resources');
  refuse(
    container.resourceLimits !== undefined,
    `${at}/resourceLimits`,
    'limits above the requested resources',
  );
  refuse((container.artifacts ?? []).length > 0, `${at}/artifacts`, 'fetching files into the sandbox');
  refuse(container.check !== undefined, `${at}/check`, 'general checks');
  refuse(container.image?.pullConfig !== undefined, `${at}/image/pullConfig`, 'pull secrets');
  refuse(container.tty === true, `${at}/tty`, 'terminals');
  refuse(container.linuxInfo !== undefined, `${at}/linuxInfo`, 'seccomp and IPC settings');
}

const variable = /^[a-zA-Z_][a-zA-Z0-9_]{0,253}$/;

/** §19.1: of pods, names of variables are not free. */
export function checkEnvironment(
  environment: Readonly<Record<string, EnvValue>>,
  at: string,
  faults: Faults,
): void {
  for (const [name, value] of Object.entries(environment)) {
    const path = `${at}/${name}`;
    if (!variable.test(name)) faults.add(path, `must fully match regular expression '${variable.source}'`);
    if (typeof value === 'string') checkPlain(value, path, faults);
    else faults.add(`${path}/secret`, 'not supported yet: secrets');
  }
}

/** What the operating system cannot hand to a program would only fail at every launch. */
export function checkPlain(text: string | undefined, at: string, faults: Faults): void {
  if (text?.includes('\0')) faults.add(at, 'must not contain a NUL character');
}

function refuser(faults: Faults) {
  return (applies: boolean, path: string, what: string) => {
    if (applies) faults.add(path, `not supported yet: ${what}`);
  };
}
