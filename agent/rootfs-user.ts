import { WeirError } from '../core/kit/errors.ts';

export type UserIds = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };

export class UnknownUser extends WeirError {
  constructor(user: string, missing: string) {
    super('WEIR_UNKNOWN_USER', `Cannot run as user "${user}": the container's files name no ${missing}`);
  }
}

/**
 * `name`, `uid`, `name:group` or `uid:gid` to numbers, by the texts of /etc/passwd and /etc/group. Numbers need no
 * entry. Empty text is root.
 */
export function resolveUser(user: string, files: { passwd: string; group: string }): UserIds {
  const [name = '', groupName] = user.split(':');
  const groups = entries(files.group);
  const account = entries(files.passwd).find((fields) => fields[0] === name || fields[2] === (name || '0'));
  const uid = account === undefined ? numeric(name || '0') : Number(account[2]);
  if (uid === undefined) throw new UnknownUser(user, `user "${name}"`);
  if (groupName !== undefined && groupName !== '') {
    const entry = groups.find((fields) => fields[0] === groupName);
    const gid = entry === undefined ? numeric(groupName) : Number(entry[2]);
    if (gid === undefined) throw new UnknownUser(user, `group "${groupName}"`);
    return { uid, gid, groups: [] };
  }
  const member = (fields: readonly string[]) =>
    account !== undefined && listOf(fields[3]).includes(account[0]!);
  return { uid, gid: Number(account?.[3] ?? 0), groups: groups.filter(member).map((f) => Number(f[2])) };
}

function entries(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4 && numeric(fields[2] ?? '') !== undefined);
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? '').trim().split(',');
}

function numeric(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
