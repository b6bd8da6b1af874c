import type { AppInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

/** What Marathon takes and Weir cannot act on yet is refused by name, never ignored. Volumes and secrets: in their own checks. */
export function checkNotSupported(input: AppInput, faults: Faults): void {
  const docker = input.container?.docker;
  const refuse = (applies: boolean, path: string, what: string) => {
    if (applies) faults.add(path, `not supported yet: ${what}`);
  };
  refuse((input.gpus ?? 0) > 0, '/gpus', 'GPU resources');
  refuse(!['', '//cmd'].includes(input.executor ?? ''), '/executor', 'executors other than //cmd');
  refuse(input.executorResources !== undefined, '/executorResources', 'resources of executors');
  refuse(input.resourceLimits !== undefined, '/resourceLimits', 'limits above the requested resources');
  refuse(input.residency !== undefined, '/residency', 'resident apps');
  refuse(input.check !== undefined, '/check', 'general checks');
  refuse((input.readinessChecks ?? []).length > 0, '/readinessChecks', 'readiness checks');
  refuse((input.fetch ?? []).length > 0, '/fetch', 'fetching files into the sandbox');
  refuse((input.uris ?? []).length > 0, '/uris', 'fetching files into the sandbox');
  refuse(docker?.pullConfig !== undefined, '/container/docker/pullConfig', 'pull secrets');
  refuse(docker?.privileged === true, '/container/docker/privileged', 'privileged containers');
  refuse(
    (docker?.parameters ?? []).length > 0,
    '/container/docker/parameters',
    'parameters of the Docker engine',
  );
  refuse(input.container?.linuxInfo !== undefined, '/container/linuxInfo', 'seccomp and IPC settings');
  refuse(input.tty === true, '/tty', 'terminals');
}
