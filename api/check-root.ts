import { type App, isPod } from '../core/model/app.ts';
import { dependencyGraph, type Groups } from '../core/model/dependencies.ts';
import { ancestorsOf } from '../core/model/group.ts';
import type { AppId } from '../core/model/ids.ts';
import type { Root } from './dependencies.ts';
import { Problem } from './problem.ts';
import { commonRole, rolesFor } from './roles.ts';

/** What only the whole root can be judged by (Marathon §5.6). Throws Problem 422. */
export function checkRoot(after: Root, changed: readonly AppId[], groups: Groups): void {
  checkIdentifiers(after, changed, new Set(groups.keys()));
  checkRoles(after, changed, groups);
  checkCycles(after, groups);
}

/** Only what is changed is judged: a clash that is there already must not keep others from changing. */
function checkIdentifiers(after: Root, changed: readonly AppId[], groups: ReadonlySet<string>): void {
  const occupied = new Set([...[...after.keys()].flatMap(ancestorsOf), ...[...groups].flatMap(ancestorsOf)]);
  const fresh = new Set(changed);
  for (const id of changed) {
    const around = ancestorsOf(id).find((group) => after.has(group));
    if (after.has(id) && occupied.has(id)) refuseGroup(after.get(id));
    if (around !== undefined) refuseGroup(after.get(around));
  }
  for (const group of groups) if (after.has(group) && !fresh.has(group)) refuseGroup(after.get(group));
}

function refuseGroup(holder: App | undefined): never {
  const kind = holder !== undefined && isPod(holder) ? 'Pods' : 'Applications';
  return refuse('/', `Groups and ${kind} may not have the same identifier.`);
}

/** Dependencies may name what does not exist; a cycle could never be started. */
function checkCycles(root: Root, groups: Groups): void {
  const below = dependencyGraph(root, groups);
  if (below === undefined) return;
  const done = new Set<AppId>();
  const onTheWay = new Set<AppId>();
  const visit = (app: App): void => {
    if (onTheWay.has(app.id)) refuse('/', 'Dependency graph has cyclic dependencies.');
    if (done.has(app.id)) return;
    onTheWay.add(app.id);
    for (const other of below(app)) visit(other);
    onTheWay.delete(app.id);
    done.add(app.id);
  };
  for (const app of root.values()) visit(app);
}

/** Apps of a group that enforces its role have it; others the common one, or their group's if they want (§10.1). */
function checkRoles(after: Root, changed: readonly AppId[], groups: Groups): void {
  for (const app of changed.flatMap((id) => after.get(id) ?? [])) {
    const allowed = rolesFor(app.id, groups);
    const role = app.role ?? commonRole;
    if (!allowed.includes(role)) refuse('/role', `got ${role}, expected one of: ${allowed.join(', ')}`);
  }
}

function refuse(path: string, error: string): never {
  throw new Problem(422, { message: 'Object is not valid', details: [{ path, errors: [error] }] });
}
