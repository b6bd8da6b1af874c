import type { FastifyInstance } from 'fastify';
import { appIdTable } from '../../core/model/app-id-table.ts';
import type { Endpoint } from '../../core/model/directory.ts';
import { claimOf, type Route } from '../../core/model/route.ts';
import { type DeclaredRoute, nowhere, readRoute, renderRoute } from '../../core/model/route-definition.ts';
import { isServerSet } from '../../core/model/server-set.ts';
import { teamOf } from '../../core/state/host-claims.ts';
import type { RouteRecord } from '../../core/state/tables.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { inForce } from '../in-force.ts';
import { serverCount } from '../pool-views.ts';
import { NotFound, Problem } from '../problem.ts';
import { routeFaults, sameRule } from '../route-faults.ts';

/** Public routes declared by an operator (`weir route`), beside those that apps declare by labels. */
export function publicRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { database, publisher } = dependencies;
  const stored = (id: string) => database.snapshot.table('routes').get(id);
  const put = (record: RouteRecord) =>
    database.commit([{ kind: 'put', table: 'routes', key: record.id, value: record }]);

  server.get('/v1/routes', async () => ({
    ...inForce(dependencies),
    // What is reached by its app's id is no host that anybody claims.
    routes: [...publisher.directory.routes.values()]
      .filter(({ table }) => table !== appIdTable)
      .map((route) => ({ ...shown(route), endpoints: endpointCount(dependencies, route) })),
    faults: routeFaults(database.snapshot, publisher),
  }));

  server.get<{ Params: { '*': string } }>('/v1/routes/*', async (request) => {
    const id = request.params['*'];
    const record = stored(id);
    const route = publisher.directory.routes.get(record === undefined ? id : `route:${id}`);
    if (route === undefined && record === undefined) throw new NotFound(`Route '${id}' does not exist`);
    return {
      ...inForce(dependencies),
      ...(record && { definition: shownDefinition(record) }),
      ...(route && { route: shown(route), endpoints: readyEndpoints(dependencies, route).map(endpointText) }),
      faults: routeFaults(database.snapshot, publisher).filter(
        (fault) => fault.route === (route?.id ?? `route:${id}`),
      ),
    };
  });

  server.post<{ Body: unknown }>('/v1/routes', async (request, reply) => {
    const record = parse(request.body);
    const known = stored(record.id);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(record)) throw exists(known);
    check(dependencies, record);
    await put(record);
    return reply.code(201).send(record);
  });

  server.put<{ Params: { '*': string }; Body: unknown }>('/v1/routes/*', async (request, reply) => {
    const id = request.params['*'];
    const record = parse({ ...asObject(request.body), id });
    check(dependencies, record);
    const status = stored(id) === undefined ? 201 : 200;
    await put(record);
    return reply.code(status).send(record);
  });

  server.delete<{ Params: { '*': string } }>('/v1/routes/*', async (request, reply) => {
    const id = request.params['*'];
    if (stored(id) === undefined) throw new NotFound(`Route '${id}' does not exist`);
    await database.commit([{ kind: 'delete', table: 'routes', key: id }]);
    return reply.code(204).send();
  });
}

export function endpointCount(dependencies: ApiDependencies, route: Pick<Route, 'service'>): number {
  const { appId } = route.service;
  return isServerSet(appId) ? serverCount(dependencies, appId) : readyEndpoints(dependencies, route).length;
}

function readyEndpoints(
  { publisher }: ApiDependencies,
  { service }: Pick<Route, 'service'>,
): readonly Endpoint[] {
  return (publisher.directory.byApp.get(service.appId) ?? []).filter((endpoint) => endpoint.ready);
}

function endpointText({ instanceId, agentId, ports }: Endpoint) {
  return { instanceId, agentId, addresses: ports.map(({ address, port }) => `${address}:${port}`) };
}

/** A route without what crypt(3) made of its password. */
function shown<R extends DeclaredRoute>(route: R) {
  const { auth, ...options } = route.options ?? {};
  if (auth === undefined) return route;
  const { realm, user } = auth;
  return { ...route, options: { ...options, auth: { realm, user } } };
}

function shownDefinition(record: RouteRecord) {
  const { auth, ...definition } = renderRoute(record);
  const { realm, user } = record.options?.auth ?? {};
  return auth === undefined ? definition : { ...definition, auth: { realm, user } };
}

function asObject(body: unknown): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Problem(400, { message: 'Please specify data in JSON format' });
}

function parse(body: unknown): RouteRecord {
  const read = readRoute(asObject(body));
  if (read.kind === 'route') return read.route;
  const details = read.faults.map(({ path, error }) => ({ path: path === '' ? '/' : path, errors: [error] }));
  throw new Problem(422, { message: 'Object is not valid', details });
}

/** The apps are there, and neither the host nor this very rule belongs to somebody else. */
function check({ database, publisher }: ApiDependencies, record: RouteRecord): void {
  for (const app of appsOf(record))
    if (!database.snapshot.table('apps').has(app)) throw new NotFound(`App '${app}' does not exist`);
  const rule = `${record.host}${record.pathPrefix}`;
  const holder = publisher.hosts.holder(claimOf(record));
  if (holder !== undefined && isOthers(holder, record))
    throw taken(rule, `${record.host} belongs to ${teamName(holder)}, by ${holder.owner}`);
  const same = [...publisher.directory.routes.values()].find(
    (route) => route.id !== `route:${record.id}` && sameRule(route, record),
  );
  if (same !== undefined) throw taken(rule, `it already belongs to ${same.owner}`);
}

/** Its own earlier definition does not stand in a route's way. */
function isOthers(holder: Route, record: RouteRecord): boolean {
  return holder.id !== `route:${record.id}` && teamOf(holder.service.appId) !== teamOf(record.service.appId);
}

function teamName({ service }: Route): string {
  const team = teamOf(service.appId);
  return team === '/' ? 'the apps outside of groups' : `group ${team}`;
}

function taken(rule: string, why: string): Problem {
  return new Problem(409, { message: `Cannot route ${rule}: ${why}` });
}

function exists({ id, service }: RouteRecord): Problem {
  const to = service.appId === nowhere ? 'answers by itself' : `leads to ${service.appId}`;
  return new Problem(409, {
    message: `Route '${id}' exists and ${to}: change it with PUT, or give the new one an id of its own`,
  });
}

/** Every app that a route names. */
export function appsOf({ service, options = {} }: DeclaredRoute): readonly string[] {
  const { split = [], mirror, forwardAuth } = options;
  const others = [...split, mirror, forwardAuth].flatMap((one) => one?.service.appId ?? []);
  return [service.appId, ...others].filter((app) => app !== nowhere);
}
