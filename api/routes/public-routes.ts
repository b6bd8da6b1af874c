import type { FastifyInstance } from 'fastify';
import type { Route } from '../../core/model/route.ts';
import { readRouteLabels } from '../../core/state/route-labels.ts';
import type { Snapshot } from '../../core/state/snapshot.ts';
import type { RouteRecord } from '../../core/state/tables.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { NotFound, Problem } from '../problem.ts';

/** Public routes declared by an operator (`weir route`), beside those that apps declare by labels. */
export function publicRoutes(
  server: FastifyInstance,
  { database, publisher, presence }: ApiDependencies,
): void {
  server.get('/v1/routes', async () => {
    const { directory } = publisher;
    const edges = [...database.snapshot.table('agents').values()].filter((agent) => agent.edge);
    const inForce = edges.filter(
      (agent) => (presence.agents.get(agent.id)?.acks['edge'] ?? 0) >= directory.revision,
    );
    return {
      revision: directory.revision,
      edges: edges.length,
      inForce: inForce.length,
      routes: [...directory.routes.values()].map((route) => ({
        ...shown(route),
        endpoints: (directory.byApp.get(route.service.appId) ?? []).filter((endpoint) => endpoint.ready)
          .length,
      })),
      faults: labelFaults(database.snapshot),
    };
  });

  server.post<{ Body: unknown }>('/v1/routes', async (request, reply) => {
    const record = parseRoute(request.body);
    if (!database.snapshot.table('apps').has(record.service.appId)) {
      throw new NotFound(`App '${record.service.appId}' does not exist`);
    }
    const owner = [...publisher.directory.routes.values()].find(
      (route) =>
        route.host === record.host &&
        route.pathPrefix === record.pathPrefix &&
        route.id !== `route:${record.id}`,
    );
    if (owner !== undefined) {
      throw new Problem(409, {
        message: `${record.host}${record.pathPrefix} already belongs to ${owner.owner}`,
      });
    }
    await database.commit([{ kind: 'put', table: 'routes', key: record.id, value: record }]);
    return reply.code(201).send(record);
  });

  server.delete<{ Params: { '*': string } }>('/v1/routes/*', async (request, reply) => {
    const id = request.params['*'];
    if (!database.snapshot.table('routes').has(id)) throw new NotFound(`Route '${id}' does not exist`);
    await database.commit([{ kind: 'delete', table: 'routes', key: id }]);
    return reply.code(204).send();
  });
}

/** A route without what crypt(3) made of its password. */
function shown(route: Route) {
  const { auth, ...options } = route.options ?? {};
  if (auth === undefined) return route;
  return { ...route, options: { ...options, auth: { realm: auth.realm, user: auth.user } } };
}

/** Labels that do not do what their authors may expect, by app. */
function labelFaults(snapshot: Snapshot) {
  return [...snapshot.table('apps').values()].flatMap((app) =>
    readRouteLabels(app).faults.map((fault) => ({ app: app.id, ...fault })),
  );
}

const hostPattern = /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

function parseRoute(body: unknown): RouteRecord {
  if (typeof body !== 'object' || body === null)
    throw new Problem(400, { message: 'Please specify data in JSON format' });
  const { host, app, path = '/', portIndex = 0 } = body as Record<string, unknown>;
  const faults = [
    ...fault(
      '/host',
      typeof host === 'string' && hostPattern.test(host.toLowerCase()),
      'must be a host name, or one that begins with *.',
    ),
    ...fault(
      '/app',
      typeof app === 'string' && app.startsWith('/'),
      'must be the id of an app, such as /shop/web',
    ),
    ...fault('/path', typeof path === 'string' && path.startsWith('/'), 'must begin with /'),
    ...fault(
      '/portIndex',
      Number.isInteger(portIndex) && Number(portIndex) >= 0,
      'must be the index of a port of the app, from 0',
    ),
  ];
  if (faults.length > 0) throw new Problem(422, { message: 'Object is not valid', details: faults });
  const name = String(host).toLowerCase();
  return {
    id: path === '/' ? name : `${name}${String(path)}`,
    host: name,
    pathPrefix: String(path),
    service: { appId: String(app), portIndex: Number(portIndex) },
  };
}

function fault(path: string, holds: boolean, error: string) {
  return holds ? [] : [{ path, errors: [error] }];
}
