import { scopeOf } from './route.ts';

/** The listener's id and its table's name; no app's, pool's or operator's listener is called so. */
export const appIdTable = 'app-id';

/** In this table the host of a route is the id of an app, and is compared with this field instead of Host (ingress.md B1). */
export const appIdField = 'x-marathon-app-id';

export const appIdScope = scopeOf(appIdTable);
