import { type App, isPod, type Volume } from '../../core/model/app.ts';
import { podNotActedOn } from './pod-not-acted-on.ts';

/** Parts of a definition that are stored and shown but change nothing yet, each with what is missing: "fetch: files are not fetched". */
export function notActedOn(app: Omit<App, 'version' | 'versionInfo'>): readonly string[] {
  if (isPod(app)) return podNotActedOn(app);
  const docker = app.container?.docker;
  const cases: readonly (readonly [applies: boolean, text: string])[] = [
    [app.fetch.some(({ cache }) => cache), 'fetch.cache: files are fetched each time'],
    [!['', '//cmd'].includes(app.executor), 'executor: the command runs without it'],
    [app.executorResources !== undefined, 'executorResources: nothing is added to what instances take'],
    [
      typeof app.resourceLimits?.cpus === 'number',
      'resourceLimits.cpus: there is no ceiling on processor time',
    ],
    [app.residency !== undefined, 'residency: instances are not bound to the agent that has their data'],
    [isUsingSecrets(app), 'secrets: no value is known, and instances that need one do not start'],
    [app.tty === true, 'tty: the program has no terminal'],
    [docker?.pullConfig !== undefined, 'container.docker.pullConfig: images are pulled without it'],
    [
      docker?.privileged === true,
      'container.docker.privileged: the container gets no more rights than others',
    ],
    [
      (docker?.parameters ?? []).length > 0,
      'container.docker.parameters: there is no Docker engine to take them',
    ],
    [app.container?.linuxInfo !== undefined, 'container.linuxInfo: the container has the usual settings'],
    ...(app.container?.volumes ?? []).map((volume) => [!('hostPath' in volume), volumeText(volume)] as const),
  ];
  return [...new Set(cases.flatMap(([applies, text]) => (applies ? [text] : [])))];
}

function isUsingSecrets({ secrets, env }: Pick<App, 'secrets' | 'env'>): boolean {
  return Object.keys(secrets).length > 0 || Object.values(env).some((value) => typeof value !== 'string');
}

function volumeText(volume: Volume): string {
  if ('persistent' in volume)
    return 'container.volumes.persistent: no volume is made, what is written ends with the instance';
  if ('external' in volume) return 'container.volumes.external: the volume is not mounted';
  return 'container.volumes.secret: no value is known, the file is not there';
}
