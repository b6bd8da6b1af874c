import type { FastifyInstance } from 'fastify';
import type { Agent } from '../../core/model/agent.ts';
import { appOfInstance, type InstanceId } from '../../core/model/ids.ts';
import type { AgentQuestion } from '../../core/model/master-port.ts';
import type { Snapshot } from '../../core/state/snapshot.ts';
import type { TaskFailure } from '../../core/state/tables.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { NotFound, Problem } from '../problem.ts';

/** Weir's own view of its machines, and what only one of them can answer. */
export function nodeRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { database, presence, publisher, questions } = dependencies;
  drainRoutes(server, dependencies);
  removeRoute(server, dependencies);

  server.get('/v1/nodes', async () => ({
    nodes: [...database.snapshot.table('agents').values()].map((agent) => {
      const seen = presence.agents.get(agent.id);
      return {
        ...agent,
        connected: seen?.connected ?? false,
        draining: database.snapshot.table('drains').has(agent.id),
        lastHeard: seen?.lastHeard,
        instances: database.snapshot.placementsOn(agent.id).length,
        acks: seen?.acks ?? {},
        revision: publisher.directory.revision,
      };
    }),
  }));

  server.get('/v1/directory', async () => ({
    revision: publisher.directory.revision,
    endpoints: [...publisher.directory.endpoints.values()],
    vips: [...publisher.directory.vips.values()],
    routes: [...publisher.directory.routes.values()],
  }));

  server.get<{ Querystring: { name?: string; type?: string; node?: string } }>('/v1/dns', async (request) => {
    const { name = '', type = 'A', node } = request.query;
    const agent = connectedAgent(dependencies, node);
    return {
      node: agent.hostname,
      answer: await questions.ask(agent.id, { kind: 'explain-name', name, type }),
    };
  });

  server.get<{ Querystring: { node?: string } }>('/v1/dns/queries', async (request) => {
    const agent = connectedAgent(dependencies, request.query.node);
    return { node: agent.hostname, answer: await questions.ask(agent.id, { kind: 'dns-queries' }) };
  });

  const askForLog = logAsker(dependencies);
  server.get<{
    Params: { instance: string };
    Querystring: { stream?: string; tail?: string; container?: string };
  }>('/v1/instances/:instance/log', async (request) => {
    const { instance } = request.params;
    const { stream = 'both', tail = '100', container } = request.query;
    return askForLog(instance, {
      kind: 'log',
      instanceId: instance,
      ...(container === undefined ? {} : { container }),
      stream: stream === 'stdout' || stream === 'stderr' ? stream : 'both',
      tail: Math.min(10_000, Math.max(1, Number(tail) || 100)),
    });
  });
}

/** Where an instance ran that is forgotten is not known, unless its end was the last failure of its app: then every agent is asked. */
function logAsker({ database, presence, questions }: ApiDependencies) {
  return async (instance: InstanceId, question: AgentQuestion): Promise<unknown> => {
    const { snapshot } = database;
    const known = snapshot.table('instances').get(instance) ?? failureOf(snapshot, instance);
    if (known !== undefined) return questions.ask(known.agentId, question);
    const agents = [...presence.agents].filter(([, { connected }]) => connected).map(([id]) => id);
    const asked = agents.map((agent) => questions.ask(agent, question));
    return Promise.any(asked).catch(() => {
      throw new NotFound(`Instance '${instance}' does not exist, and no connected node has kept its log`);
    });
  };
}

function failureOf(snapshot: Snapshot, instance: InstanceId): TaskFailure | undefined {
  const app = appOfInstance(instance);
  const failure = app === undefined ? undefined : snapshot.table('failures').get(app);
  return failure?.instanceId === instance ? failure : undefined;
}

/** The agent of that id or hostname; any, when none is named. */
function connectedAgent({ database, presence }: ApiDependencies, node: string | undefined): Agent {
  const agents = [...database.snapshot.table('agents').values()].filter(
    (agent) => presence.agents.get(agent.id)?.connected,
  );
  const agent = agents.find(
    (candidate) => node === undefined || candidate.id === node || candidate.hostname === node,
  );
  if (agent !== undefined) return agent;
  throw new NotFound(node === undefined ? 'No agent is connected' : `Node '${node}' is not connected`);
}

/** Forgets a machine that is gone for good: what it ran is replaced at once. One that may come back is not forgotten. */
function removeRoute(
  server: FastifyInstance,
  { database, presence, scheduler, clock }: ApiDependencies,
): void {
  server.delete<{ Params: { node: string } }>('/v1/nodes/:node', async (request) => {
    const { id, hostname } = existingNode(database.snapshot, request.params.node);
    const { isLost, since, lostAt } = scheduler.silenceOf(id);
    if (!isLost)
      throw new Problem(409, { message: stillThere(hostname, { since, lostAt, now: clock.now() }) });
    const { snapshot } = database;
    const instances = snapshot.placementsOn(id).length;
    const leases = [...snapshot.table('leases')].filter(([, lease]) => lease.agentId === id);
    await database.commit([
      { kind: 'delete', table: 'agents', key: id },
      ...(snapshot.table('drains').has(id) ? [{ kind: 'delete', table: 'drains', key: id } as const] : []),
      ...leases.map(([key]) => ({ kind: 'delete', table: 'leases', key }) as const),
    ]);
    presence.forget(id);
    return { id, hostname, instances };
  });
}

function stillThere(
  hostname: string,
  { since, lostAt, now }: { readonly since: number; readonly lostAt: number; readonly now: number },
): string {
  const [silent, left] = [now - since, lostAt - now].map((ms) => Math.max(0, Math.round(ms / 1000)));
  return `Cannot remove node ${hostname}: it was heard of ${silent} s ago and counts as lost in ${left} s`;
}

function existingNode(snapshot: Snapshot, name: string): Agent {
  const agents = snapshot.table('agents');
  const agent = agents.get(name) ?? [...agents.values()].find(({ hostname }) => hostname === name);
  if (agent === undefined) throw new NotFound(`Node '${name}' does not exist`);
  return agent;
}

/** A node that is to become empty: nothing is placed on it, and what runs there moves. Both may be repeated. */
function drainRoutes(server: FastifyInstance, { database, clock }: ApiDependencies): void {
  const path = '/v1/nodes/:node/drain';
  const find = (name: string) => existingNode(database.snapshot, name);
  const answer = ({ id, hostname }: Agent) => ({
    id,
    hostname,
    draining: database.snapshot.table('drains').has(id),
    instances: database.snapshot.placementsOn(id).length,
  });

  server.post<{ Params: { node: string } }>(path, async (request) => {
    const agent = find(request.params.node);
    const value = { agentId: agent.id, since: clock.now() };
    if (!database.snapshot.table('drains').has(agent.id))
      await database.commit([{ kind: 'put', table: 'drains', key: agent.id, value }]);
    return answer(agent);
  });

  server.delete<{ Params: { node: string } }>(path, async (request) => {
    const agent = find(request.params.node);
    if (database.snapshot.table('drains').has(agent.id))
      await database.commit([{ kind: 'delete', table: 'drains', key: agent.id }]);
    return answer(agent);
  });
}
