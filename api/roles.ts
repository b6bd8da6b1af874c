import type { App } from '../core/model/app.ts';
import type { Groups } from '../core/model/dependencies.ts';

/** Every agent's resources are in this one; an app that names none has it. */
export const commonRole = '*';

/** The roles an app may have: the common one or its top group's; only the latter where that group enforces it. */
export function rolesFor(app: string, groups: Groups): readonly string[] {
  const group = topGroup(app);
  if (group === undefined) return [commonRole];
  return groups.get(`/${group}`)?.enforceRole === true ? [group] : [commonRole, group];
}

/** The app with the role its group enforces, unless it names one itself. */
export function withRole(app: App, groups: Groups): App {
  const [only, other] = rolesFor(app.id, groups);
  const enforced = other === undefined && only !== commonRole;
  return app.role === undefined && only !== undefined && enforced ? { ...app, role: only } : app;
}

/** `shop` of `/shop/web`; undefined for an app right below the root. */
function topGroup(app: string): string | undefined {
  const [, group, ...rest] = app.split('/');
  return rest.length > 0 ? group : undefined;
}
