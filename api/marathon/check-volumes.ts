import type { VolumeInput } from './app-schema.ts';
import { type Faults, isObject } from './schema.ts';

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
  else if (volume.external !== undefined) checkExternal(volume.external, add);
  else if (volume.secret === undefined && !volume.hostPath) add('/hostPath', 'must not be empty');
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
  for (const [index, constraint] of constraints.entries()) {
    const [field, operator = '', value] = constraint;
    const isRight = field === 'path' && /^(un)?like$/i.test(operator) && value !== undefined;
    if (!isRight || constraint.length > 3)
      add(`/persistent/constraints(${index})`, 'must be a LIKE or UNLIKE constraint on path');
  }
}

const providers = ['dvdi', 'csi'];

function checkExternal(
  { name = '', provider = '', options }: NonNullable<VolumeInput['external']>,
  add: Add,
): void {
  if (name === '') add('/external/name', 'must not be empty');
  if (!providers.includes(provider))
    add('/external/provider', `is unknown provider; known: ${providers.join(', ')}`);
  if (provider === 'dvdi' && (!isObject(options) || typeof options['dvdi/driver'] !== 'string'))
    add('/external/options/"dvdi/driver"', 'not defined');
}
