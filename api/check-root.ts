import type { App } from '../core/model/app.ts';
import type { AppId } from '../core/model/ids.ts';
import type { Root } from './dependencies.ts';
import { ancestorsOf } from './groups.ts';
import { Problem } from './problem.ts';

/** What only the whole root can be judged by (Marathon §5.6). Throws Problem 422. */
export function checkRoot(after: Root, changed: readonly AppId[], groups: ReadonlySet<string>): void {
  checkIdentifiers(after, changed, groups);
  checkCycles(after);
}

/** Only what is changed is judged: a clash that is there already must not keep others from changing. */
function checkIdentifiers(after: Root, changed: readonly AppId[], groups: ReadonlySet<string>): void {
  const occupied = new Set([...[...after.keys()].flatMap(ancestorsOf), ...[...groups].flatMap(ancestorsOf)]);
  for (const id of changed) {
    const isInsideApp = ancestorsOf(id).some((group) => after.has(group));
    if ((after.has(id) && occupied.has(id)) || isInsideApp)
      refuse('Groups and Applications may not have the same identifier.');
  }
  for (const group of groups)
    if (after.has(group) && !changed.includes(group))
      refuse('Groups and Applications may not have the same identifier.');
}

/** Dependencies may name what does not exist; a cycle could never be started. */
function checkCycles(root: Root): void {
  const dependent = [...root.values()].filter((app) => app.dependencies.length > 0);
  if (dependent.length === 0) return;
  const below = membersByGroup(root);
  const done = new Set<AppId>();
  const onTheWay = new Set<AppId>();
  const visit = (app: App): void => {
    if (onTheWay.has(app.id)) refuse('Dependency graph has cyclic dependencies.');
    if (done.has(app.id)) return;
    onTheWay.add(app.id);
    for (const dependency of app.dependencies) {
      const single = root.get(dependency);
      for (const other of single === undefined ? (below.get(dependency) ?? []) : [single]) visit(other);
    }
    onTheWay.delete(app.id);
    done.add(app.id);
  };
  for (const app of dependent) visit(app);
}

function membersByGroup(root: Root): ReadonlyMap<string, readonly App[]> {
  const members = new Map<string, App[]>();
  for (const app of root.values())
    for (const group of ancestorsOf(app.id)) {
      const list = members.get(group);
      if (list === undefined) members.set(group, [app]);
      else list.push(app);
    }
  return members;
}

function refuse(error: string): never {
  throw new Problem(422, { message: 'Object is not valid', details: [{ path: '/', errors: [error] }] });
}
