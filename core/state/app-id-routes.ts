import { appIdTable } from '../model/app-id-table.ts';
import type { AppId } from '../model/ids.ts';
import type { Listener } from '../model/listener.ts';
import type { Route, RouteOptions } from '../model/route.ts';

/** Where every app of mode http is reached by `X-Marathon-App-Id`, whatever its host (ingress.md B1). */
export function appIdListener(port: number): Listener {
  return { id: appIdTable, owner: 'edge', port, protocol: 'http', table: appIdTable };
}

/** Of an app its first port that speaks HTTP. */
export function appIdRoute(
  id: AppId,
  common: Pick<Route, 'service' | 'owner' | 'backend'>,
  options: RouteOptions,
): Route {
  // Of the shared frontends on 80 and 443 only (ingress.md B2).
  const { redirectToHttps: _, hsts: __, ...rest } = options;
  return {
    ...{ id: `app:${id}:${appIdTable}`, table: appIdTable, host: id, pathPrefix: '/', ...common },
    ...(Object.keys(rest).length > 0 && { options: rest }),
  };
}
