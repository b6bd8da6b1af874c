import type { FastifyInstance } from 'fastify';
import type { ApiDependencies, Waiting } from '../dependencies.ts';
import { freeResources } from '../free-resources.ts';
import type { Json } from '../marathon/render-app.ts';
import { renderQueueItem, renderUnusedOffer } from '../marathon/render-queue.ts';
import { NotFound } from '../problem.ts';

type Embed = string | string[] | undefined;

/** Marathon §8: what waits to be launched, and why. */
export function queueRoutes(server: FastifyInstance, { database, scheduler, clock }: ApiDependencies): void {
  server.get<{ Querystring: { embed?: Embed } }>('/v2/queue', async (request) => ({
    queue: [...scheduler.waiting].flatMap(([id, waiting]) => {
      const app = database.snapshot.table('apps').get(id);
      if (app === undefined) return [];
      const failure = database.snapshot.table('failures').get(id);
      const attempt = scheduler.attempts.get(id);
      const item = renderQueueItem({ app, waiting, attempt, failure, now: clock.now() });
      return [{ ...item, ...embedded(waiting, request.query.embed) }];
    }),
  }));

  server.delete<{ Params: { '*': string } }>('/v2/queue/*', async (request, reply) => {
    const path = `/${request.params['*'].split('/').filter(Boolean).join('/')}`;
    const id = path.replace(/\/delay$/, '');
    if (!path.endsWith('/delay') || !scheduler.waiting.has(id)) {
      throw new NotFound(`Application ${id} not found in tasks queue.`);
    }
    await database.commit([{ kind: 'delete', table: 'backoffs', key: id }]);
    return reply.code(204).send();
  });

  /** Only when asked for: `refusals`, in Weir's own words, would be an unknown key to strict clients (§23). */
  function embedded(waiting: Waiting, embed: Embed): Json {
    const refusals = waiting.kind === 'no-agent' ? waiting.refusals : [];
    const asked = [embed ?? []].flat();
    return {
      ...(asked.includes('lastUnusedOffers') ? { lastUnusedOffers: refusals.flatMap(unusedOffer) } : {}),
      ...(asked.includes('refusals') && waiting.kind === 'no-agent' ? { refusals } : {}),
    };
  }

  function unusedOffer({ agentId, reason }: { agentId: string; reason: string }): readonly Json[] {
    const { snapshot } = database;
    const agent = snapshot.table('agents').get(agentId);
    if (agent === undefined) return [];
    return [renderUnusedOffer(agent, { reason, free: freeResources(snapshot, agent), now: clock.now() })];
  }
}
