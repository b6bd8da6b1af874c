import { type GroupSettings, parentOf } from '../../core/model/group.ts';
import { absoluteId, checkPath } from './app-id.ts';
import { checkApp } from './check-app.ts';
import { type GroupInput, readGroup } from './group-schema.ts';
import { type AppDraft, normalise } from './normalise.ts';
import { type Parsed, parseJson } from './parse-json.ts';
import { Faults, flag, object, required } from './schema.ts';

/** What a group is to become. Lists that are absent stay as they are; a list that is there is the whole list. */
export type GroupWish = {
  /** Absolute. */
  readonly id: string;
  readonly apps?: readonly AppDraft[];
  readonly groups?: readonly GroupWish[];
  /** Only what the document says. */
  readonly settings: GroupSettings;
};

export type GroupUpdate =
  | { readonly kind: 'put'; readonly wish: GroupWish }
  | { readonly kind: 'scale'; readonly id: string; readonly factor: number }
  | { readonly kind: 'restore'; readonly id: string; readonly version: string };

/** Reads a group document (Marathon §5.3–§5.6). `base`: the group of the URL, which relative ids are below. */
export function parseGroup(body: unknown, base: string): Parsed<GroupUpdate> {
  const typed = parseJson(body, readGroup);
  if (!typed.ok) return typed;
  const faults = new Faults();
  const update = updateOf(typed.value, base, faults);
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
  // Without an id the group is the one of the URL, which may be any text.
  if (id !== '/') checkPath(input.id ?? id, `${path}/id`, faults);
  if (!isBelow(id, base)) faults.add(`${path}/id`, `Identifier is not child of '${base}'`);
  checkPlaces(input, { id, path }, faults);
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
  const settings = settingsOf(input, id);
  return {
    id,
    settings,
    ...(apps === undefined ? {} : { apps }),
    ...(groups === undefined ? {} : { groups }),
  };
}

/** What belongs to the document as a whole, or to groups right below the root only. */
function checkPlaces(input: GroupInput, { id, path }: { id: string; path: string }, faults: Faults): void {
  for (const [index, dependency] of (input.dependencies ?? []).entries())
    checkPath(dependency, `${path}/dependencies(${index})`, faults);
  const { dependencies = [] } = settingsOf(input, id);
  if (new Set(dependencies).size < dependencies.length)
    faults.add(`${path}/dependencies`, 'must not contain duplicates');
  if (input.enforceRole !== undefined && !isTop(id)) faults.add(`${path}/enforceRole`, onlyTop);
  if (path === '') return;
  if (input.scaleBy !== undefined) faults.add(`${path}/scaleBy`, 'not allowed in a group inside another one');
  if (input.version !== undefined) faults.add(`${path}/version`, 'not allowed in a group inside another one');
}

const onlyTop = 'enforceRole can only be set for a top-level group';

function isTop(id: string): boolean {
  return id !== '/' && parentOf(id) === '/';
}

/** Relative ids of dependencies start at the group that names them. */
function settingsOf({ dependencies, enforceRole }: GroupInput, id: string): GroupSettings {
  return {
    ...(dependencies === undefined
      ? {}
      : { dependencies: dependencies.map((dependency) => absoluteId(dependency, id)) }),
    ...(enforceRole === undefined ? {} : { enforceRole }),
  };
}

export const readGroupPatch = object({ enforceRole: required(flag) });

/** Reads `{"enforceRole": …}`, all that a PATCH of a group may change (§5.5). */
export function parseGroupPatch(body: unknown, id: string): Parsed<GroupSettings> {
  const typed = parseJson(body, readGroupPatch);
  if (!typed.ok || isTop(id)) return typed;
  const details = [{ path: '/enforceRole', errors: [onlyTop] }];
  return { ok: false, status: 422, body: { message: 'Object is not valid', details } };
}

function idOf({ id }: GroupInput, base: string): string {
  return id === undefined || id === '' ? base : absoluteId(id, base);
}

/** Whether a path is this group or lies in it. */
export function isBelow(path: string, group: string): boolean {
  return group === '/' || path === group || path.startsWith(`${group}/`);
}
