import type { Route } from '../model/route.ts';
import type { RouteRecord } from './tables.ts';

export function operatorRoute(record: RouteRecord): Route {
  return {
    id: `route:${record.id}`,
    host: record.host,
    pathPrefix: record.pathPrefix,
    service: record.service,
    owner: `route:${record.id}`,
  };
}
