import type { FastifyInstance } from 'fastify';
import { type Listener, placeText, tableOf } from '../../core/model/listener.ts';
import { readListener, renderListener } from '../../core/model/listener-definition.ts';
import { operatorListener } from '../../core/state/listeners.ts';
import type { ListenerRecord } from '../../core/state/tables.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { inForce } from '../in-force.ts';
import { listenerStates, stateText } from '../listener-state.ts';
import { NotFound, Problem } from '../problem.ts';
import { appsOf } from './public-routes.ts';

type Named = { Params: { name: string }; Body: unknown };

/** Public listeners declared by an operator (`weir listener`), beside those that labels and pools declare. */
export function listenerRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { database, publisher } = dependencies;
  const stored = (name: string) => database.snapshot.table('listeners').get(name);
  const put = (record: ListenerRecord) =>
    database.commit([{ kind: 'put', table: 'listeners', key: record.name, value: record }]);
  const shown = (listener: Listener) => {
    const edges = listenerStates(dependencies, listener);
    return { ...listener, routes: routesOf(dependencies, listener), state: stateText(edges), edges };
  };

  server.get('/v1/listeners', async () => ({
    ...inForce(dependencies),
    listeners: [...publisher.directory.listeners.values()].map(shown),
    faults: faultsOf(dependencies),
  }));

  server.get<Named>('/v1/listeners/:name', async ({ params: { name } }) => {
    const record = stored(name);
    const listener = publisher.directory.listeners.get(name);
    if (record === undefined && listener === undefined) throw unknown(name);
    return {
      ...inForce(dependencies),
      ...(record && { definition: shownDefinition(record) }),
      ...(listener && { listener: shown(listener) }),
      faults: faultsOf(dependencies).filter((fault) => fault.listener === name),
    };
  });

  server.post<{ Body: unknown }>('/v1/listeners', async (request, reply) => {
    const record = parse(request.body);
    const known = stored(record.name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(record)) throw exists(known);
    check(dependencies, record);
    await put(record);
    return reply.code(201).send(shownDefinition(record));
  });

  server.put<Named>('/v1/listeners/:name', async (request, reply) => {
    const { name } = request.params;
    const record = parse({ ...asObject(request.body), name });
    check(dependencies, record);
    const status = stored(name) === undefined ? 201 : 200;
    await put(record);
    return reply.code(status).send(shownDefinition(record));
  });

  server.delete<Named>('/v1/listeners/:name', async ({ params: { name } }, reply) => {
    if (stored(name) === undefined) throw unknown(name);
    await database.commit([{ kind: 'delete', table: 'listeners', key: name }]);
    return reply.code(204).send();
  });
}

/** How many routes it serves. */
function routesOf({ publisher }: ApiDependencies, listener: Listener): number {
  const table = tableOf(listener);
  let count = 0;
  for (const route of publisher.directory.routes.values()) if (route.table === table) count++;
  return count;
}

function faultsOf({ publisher }: ApiDependencies) {
  return publisher.listeners.refused.map(({ listener, holder }) => ({
    listener: listener.id,
    effect: 'not open' as const,
    reason: `${placeText(listener)} belongs to ${holder.owner}`,
  }));
}

function shownDefinition(record: ListenerRecord) {
  const { auth, ...definition } = renderListener(record);
  const { realm, user } = record.route?.options?.auth ?? {};
  return auth === undefined ? definition : { ...definition, auth: { realm, user } };
}

function asObject(body: unknown): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Problem(400, { message: 'Please specify data in JSON format' });
}

function parse(body: unknown): ListenerRecord {
  const read = readListener(asObject(body));
  if (read.kind === 'listener') return read.listener;
  const details = read.faults.map(({ path, error }) => ({ path: path === '' ? '/' : path, errors: [error] }));
  throw new Problem(422, { message: 'Object is not valid', details });
}

/** The apps and certificates are there, the place is nobody else's, and no other listener has this name. */
function check({ database, publisher }: ApiDependencies, record: ListenerRecord): void {
  const { snapshot } = database;
  for (const app of record.route === undefined ? [] : appsOf(record.route))
    if (!snapshot.table('apps').has(app)) throw new NotFound(`App '${app}' does not exist`);
  for (const name of record.options?.certificates ?? [])
    if (!snapshot.table('certificates').has(name)) throw new NotFound(`Certificate '${name}' does not exist`);
  const listener = operatorListener(record);
  const holder = publisher.listeners.holder(listener);
  if (holder !== undefined) {
    const message = `Cannot listen on ${placeText(listener)}: it belongs to ${holder.owner} (${placeText(holder)})`;
    throw new Problem(409, { message });
  }
}

function exists(known: ListenerRecord): Problem {
  return new Problem(409, {
    message: `Listener '${known.name}' exists and is ${placeText(known)}: change it with PUT, or give the new one a name of its own`,
  });
}

function unknown(name: string): NotFound {
  return new NotFound(`Listener '${name}' does not exist`);
}
