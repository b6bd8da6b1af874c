import type { Route } from '../model/route.ts';
import type { RouteRecord } from './tables.ts';

/** An operator's route as edges get it. */
export function operatorRoute(record: RouteRecord): Route {
  const id = `route:${record.id}`;
  return { ...record, id, owner: id };
}
