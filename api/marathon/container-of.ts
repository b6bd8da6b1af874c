import type { Container, Volume } from '../../core/model/app.ts';
import type { AppInput, ContainerInput, VolumeInput } from './app-schema.ts';
import { pick } from './pick.ts';
import { portMappingsOf } from './port-mappings-of.ts';

/** The container with its defaults (Marathon §10.4); outside host mode there is always one. */
export function containerOf(input: AppInput, isHost: boolean): Container | undefined {
  const given = input.container;
  if (given === undefined && isHost) return undefined;
  return {
    type: given === undefined ? 'MESOS' : (given.type ?? 'DOCKER'),
    ...(given?.docker === undefined ? {} : { docker: dockerOf(given.docker) }),
    volumes: (given?.volumes ?? []).map(volumeOf),
    ...(given === undefined ? {} : pick(given, 'linuxInfo')),
    ...(isHost ? {} : { portMappings: portMappingsOf(input) }),
  };
}

function dockerOf(given: NonNullable<ContainerInput['docker']>): NonNullable<Container['docker']> {
  const { image, forcePullImage = false, privileged = false, parameters = [] } = given;
  return { image, forcePullImage, privileged, parameters, ...pick(given, 'pullConfig') };
}

function volumeOf(given: VolumeInput): Volume {
  const { containerPath, mode = 'RW', hostPath = '', persistent, external, secret } = given;
  if (persistent !== undefined) return { containerPath, mode, persistent };
  if (external !== undefined) return { containerPath, mode, external };
  if (secret !== undefined) return { containerPath, secret };
  return { containerPath, hostPath, mode };
}
