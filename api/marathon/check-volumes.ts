import type { VolumeInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

type Add = (field: string, error: string) => void;

/** Marathon §18.1. */
export function checkVolumes(volumes: readonly VolumeInput[], faults: Faults): void {
  for (const [index, volume] of volumes.entries()) {
    const path = `/container/volumes(${index})`;
    checkVolume(volume, (field, error) => faults.add(`${path}${field}`, error));
  }
  const names = volumes.flatMap((volume) => volume.external?.name ?? []);
  if (new Set(names).size !== names.length) faults.add('/container/volumes', 'Volume names must be unique');
}

function checkVolume(volume: VolumeInput, add: Add): void {
  if (volume.containerPath === '') add('/containerPath', 'must not be empty');
  if (volume.persistent !== undefined) checkPersistent(volume, volume.persistent, add);
  else if (volume.external !== undefined) add('/external', 'not supported yet: external volumes');
  else if (volume.secret !== undefined) add('/secret', 'not supported yet: secret volumes');
  else if (!volume.hostPath) add('/hostPath', 'must not be empty');
}

function checkPersistent(
  { containerPath, mode }: VolumeInput,
  { type = 'root', size, maxSize, constraints = [] }: NonNullable<VolumeInput['persistent']>,
  add: Add,
): void {
  if (containerPath.includes('/')) add('/containerPath', 'value must not contain "/"');
  if (['.', '..'].includes(containerPath)) add('/containerPath', 'must not be . or ..');
  if (mode !== 'RW') add('/mode', 'must be RW for a persistent volume');
  if (size <= 0) add('/persistent/size', 'must be greater than 0');
  if (maxSize !== undefined && type !== 'mount') add('/persistent', 'Only mount volumes can have maxSize');
  if (maxSize !== undefined && maxSize <= size) add('/persistent', 'Max size must be larger than size');
  if (constraints.length > 0 && type === 'root')
    add('/persistent/constraints', 'Constraints on root volumes are not supported');
  add('/persistent', 'not supported yet: persistent volumes');
}
