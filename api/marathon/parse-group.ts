import { absoluteId, checkPath } from './app-id.ts';
import { checkApp } from './check-app.ts';
import { type GroupInput, readGroup } from './group-schema.ts';
import { type AppDraft, normalise } from './normalise.ts';
import type { Parsed } from './parse-app.ts';
import { Faults } from './schema.ts';

/** What a group is to become. Lists that are absent stay as they are; a list that is there is the whole list. */
export type GroupWish = {
  /** Absolute. */
  readonly id: string;
  readonly apps?: readonly AppDraft[];
  readonly groups?: readonly GroupWish[];
};

export type GroupUpdate =
  | { readonly kind: 'put'; readonly wish: GroupWish }
  | { readonly kind: 'scale'; readonly id: string; readonly factor: number }
  | { readonly kind: 'restore'; readonly id: string; readonly version: string };

/** Reads a group document (Marathon §5.3–§5.6). `base`: the group of the URL, which relative ids are below. */
export function parseGroup(body: unknown, base: string): Parsed<GroupUpdate> {
  if (body === undefined) {
    const message = 'Please specify data in JSON format';
    return { ok: false, status: 400, body: { message, details: 'No content to map due to end-of-input' } };
  }
  const typeFaults = new Faults();
  const input = readGroup(body, '/', typeFaults);
  if (input === undefined || !typeFaults.none)
    return { ok: false, status: 422, body: { message: 'Invalid JSON', details: typeFaults.details } };
  const faults = new Faults();
  const update = updateOf(input, base, faults);
  if (faults.none) return { ok: true, value: update };
  return { ok: false, status: 422, body: { message: 'Object is not valid', details: faults.details } };
}

function updateOf(input: GroupInput, base: string, faults: Faults): GroupUpdate {
  const { version, scaleBy } = input;
  if (version === undefined && scaleBy === undefined)
    return { kind: 'put', wish: wishOf(input, { base, path: '' }, faults) };
  const name = version === undefined ? 'scaleBy' : 'version';
  const others = Object.keys(input).filter((key) => key !== name && key !== 'id');
  if (others.length > 0) faults.add(`/${name}`, 'not allowed in conjunction with other properties.');
  const id = idOf(input, base);
  return version === undefined
    ? { kind: 'scale', id, factor: scaleBy ?? 1 }
    : { kind: 'restore', id, version };
}

function wishOf(
  input: GroupInput,
  { base, path }: { base: string; path: string },
  faults: Faults,
): GroupWish {
  const id = idOf(input, base);
  if (input.id !== undefined) checkPath(input.id, `${path}/id`, faults);
  if (!isBelow(id, base)) faults.add(`${path}/id`, `Identifier is not child of '${base}'`);
  checkActedOn(input, path, faults);
  const apps = input.apps?.map((app, index) => {
    const at = `${path}/apps(${index})`;
    const draft = normalise(app, absoluteId(app.id ?? '', id));
    const own = new Faults();
    checkApp(app, { draft, written: app.id ?? '' }, own);
    if (draft.id === id || !isBelow(draft.id, id)) own.add('/id', `Identifier is not child of '${id}'`);
    for (const { path: inner, errors } of own.details)
      for (const error of errors) faults.add(inner === '/' ? at : at + inner, error);
    return draft;
  });
  const groups = input.groups?.map((group, index) => {
    const at = `${path}/groups(${index})`;
    if (idOf(group, id) === id) faults.add(`${at}/id`, `Identifier is not child of '${id}'`);
    return wishOf(group, { base: id, path: at }, faults);
  });
  return { id, ...(apps === undefined ? {} : { apps }), ...(groups === undefined ? {} : { groups }) };
}

/** Better refused than taken and forgotten. */
function checkActedOn(input: GroupInput, path: string, faults: Faults): void {
  const { dependencies = [], scaleBy, version, enforceRole } = input;
  if (dependencies.length > 0)
    faults.add(`${path}/dependencies`, 'not supported yet: give the dependencies to the apps of the group');
  if (enforceRole === true) faults.add(`${path}/enforceRole`, 'not supported yet: roles');
  if (path === '') return;
  if (scaleBy !== undefined) faults.add(`${path}/scaleBy`, 'not allowed in a group inside another one');
  if (version !== undefined) faults.add(`${path}/version`, 'not allowed in a group inside another one');
}

function idOf({ id }: GroupInput, base: string): string {
  return id === undefined || id === '' ? base : absoluteId(id, base);
}

/** Whether a path is this group or lies in it. */
export function isBelow(path: string, group: string): boolean {
  return group === '/' || path === group || path.startsWith(`${group}/`);
}
