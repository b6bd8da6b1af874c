import type { AppId } from '../../core/model/ids.ts';
import type { Faults } from './schema.ts';

const pattern =
  '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$';
const segment = /^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;
const reserved = ['restart', 'tasks', 'versions', '.', '..'];

/** The absolute form of an id, `.` and `..` resolved against `base` (a group, `/` for the apps API). */
export function absoluteId(id: string, base = '/'): AppId {
  const path: string[] = [];
  for (const part of partsOf(id.startsWith('/') ? id : `${base}/${id}`)) {
    if (part === '..') path.pop();
    else if (part !== '.') path.push(part);
  }
  return `/${path.join('/')}`;
}

/** Marathon §10.2, for the id of an app as it was written. */
export function checkId(id: string, path: string, faults: Faults): void {
  const last = partsOf(id).at(-1);
  if (last === undefined) faults.add(path, 'Path must contain at least one path element');
  else if (reserved.includes(last))
    faults.add(path, `must not end with any of the following reserved keywords: ${reserved.join(', ')}`);
  checkPath(id, path, faults);
}

/** For a path that names an app or a group. */
export function checkPath(id: string, path: string, faults: Faults): void {
  if (partsOf(id).every((part) => segment.test(part) || part === '.' || part === '..')) return;
  faults.add(path, `must fully match regular expression '${pattern}'`);
}

function partsOf(id: string): readonly string[] {
  return id.split('/').filter((part) => part !== '');
}
