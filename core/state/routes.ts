import type { App } from '../model/app.ts';
import type { Route } from '../model/directory.ts';
import { portsOf } from '../model/ports.ts';
import type { RouteRecord } from './tables.ts';

/** The edge group whose apps Weir's edge exposes. */
export const externalGroup = 'external';

/** Routes an app declares by marathon-lb labels: HAPROXY_GROUP with HAPROXY_{n}_VHOST and HAPROXY_{n}_PATH (ingress.md B2). */
export function labelRoutes(app: App): readonly Route[] {
  return portsOf(app).flatMap((port) => {
    const label = (name: string) => app.labels[`HAPROXY_${port.index}_${name}`];
    const groups = words(label('GROUP') ?? app.labels['HAPROXY_GROUP'], ',');
    const enabled = (label('ENABLED') ?? 'true').toLowerCase() !== 'false';
    if (!enabled || !(groups.includes(externalGroup) || groups.includes('*'))) return [];
    const paths = words(label('PATH'), /\s+/).filter((path) => path.startsWith('/'));
    return words(label('VHOST'), ',').flatMap((host) =>
      (paths.length === 0 ? ['/'] : paths).map((pathPrefix) => ({
        id: `app:${app.id}:${port.index}:${host.toLowerCase()}${pathPrefix}`,
        host: host.toLowerCase(),
        pathPrefix,
        service: { appId: app.id, portIndex: port.index },
        owner: `app:${app.id}`,
      })),
    );
  });
}

export function operatorRoute(record: RouteRecord): Route {
  return {
    id: `route:${record.id}`,
    host: record.host,
    pathPrefix: record.pathPrefix,
    service: record.service,
    owner: `route:${record.id}`,
  };
}

function words(text: string | undefined, separator: string | RegExp): readonly string[] {
  return (text ?? '')
    .split(separator)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
