import { createHash } from 'node:crypto';

const plain = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/;

/** A container's id as a file, cgroup and runc name: itself when it is short and plain, else a readable part and a hash. */
export function fileName(id: string): string {
  if (plain.test(id)) return id;
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 24);
  return `${id
    .replaceAll(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 40)}_${hash}`.replace(/^_/, '');
}
