import type { AppId } from '../../core/model/ids.ts';
import type { Faults } from './schema.ts';

const pattern =
  '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$';
const segment = /^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;
const reserved = ['restart', 'tasks', 'versions', '.', '..'];

/** The absolute form of an id, `.` and `..` resolved against `base` (a group, `/` for the apps API). */
export function absoluteId(id: string, base = '/'): AppId {
  const parts = (id.startsWith('/') ? id : `${base}/${id}`).split('/');
  const path: string[] = [];
  for (const part of parts) {
    if (part === '..') path.pop();
    else if (part !== '' && part !== '.') path.push(part);
  }
  return `/${path.join('/')}`;
}

/** Marathon §10.2. */
export function checkId(id: string, path: string, faults: Faults): void {
  const parts = id.split('/').filter((part) => part !== '');
  const last = parts.at(-1);
  if (last === undefined) faults.add(path, 'Path must contain at least one path element');
  else if (reserved.includes(last))
    faults.add(path, `must not end with any of the following reserved keywords: ${reserved.join(', ')}`);
  if (!parts.every((part) => segment.test(part) || part === '.' || part === '..')) {
    faults.add(path, `must fully match regular expression '${pattern}'`);
  }
}
