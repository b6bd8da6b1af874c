import type { FastifyInstance } from 'fastify';
import type { ApiDependencies } from '../dependencies.ts';
import { NotFound } from '../problem.ts';

/** Weir's own view of its machines, and what only one of them can answer. */
export function nodeRoutes(
  server: FastifyInstance,
  { database, presence, publisher, questions }: ApiDependencies,
): void {
  server.get('/v1/nodes', async () => ({
    nodes: [...database.snapshot.table('agents').values()].map((agent) => {
      const seen = presence.agents.get(agent.id);
      return {
        ...agent,
        connected: seen?.connected ?? false,
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
    const agents = [...database.snapshot.table('agents').values()].filter(
      (agent) => presence.agents.get(agent.id)?.connected,
    );
    const agent = agents.find(
      (candidate) => node === undefined || candidate.id === node || candidate.hostname === node,
    );
    if (agent === undefined)
      throw new NotFound(node === undefined ? 'No agent is connected' : `Node '${node}' is not connected`);
    return {
      node: agent.hostname,
      answer: await questions.ask(agent.id, { kind: 'explain-name', name, type }),
    };
  });

  server.get<{ Params: { instance: string }; Querystring: { stream?: string; tail?: string } }>(
    '/v1/instances/:instance/log',
    async (request) => {
      const instance = database.snapshot.table('instances').get(request.params.instance);
      if (instance === undefined) throw new NotFound(`Instance '${request.params.instance}' does not exist`);
      const { stream = 'both', tail = '100' } = request.query;
      return questions.ask(instance.agentId, {
        kind: 'log',
        instanceId: instance.instanceId,
        stream: stream === 'stdout' || stream === 'stderr' ? stream : 'both',
        tail: Math.min(10_000, Math.max(1, Number(tail) || 100)),
      });
    },
  );
}
