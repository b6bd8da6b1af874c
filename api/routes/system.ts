import type { FastifyInstance } from 'fastify';
import { accepts } from '../accepts.ts';
import type { ApiDependencies, ApiOptions } from '../dependencies.ts';
import { infoOf } from '../info.ts';
import { NotBuilt, Problem } from '../problem.ts';

type LeaderQuery = { Querystring: { backup?: string; restore?: string } };

/** Answered by every master, whoever leads. */
export function localSystemRoutes(server: FastifyInstance): void {
  server.get('/ping', async (request, reply) => {
    const { accept } = request.headers;
    if (accepts(accept, 'text/plain')) return reply.type('text/plain').send('pong');
    if (accepts(accept, 'text/html')) return reply.type('text/html').send('<html><body>pong</body></html>');
    if (accepts(accept, 'application/json')) return reply.type('application/json').send('"pong"');
    return reply.code(204).send();
  });

  server.get('/', async (_request, reply) => reply.redirect('/ui/', 302));
}

/** Marathon §2. */
export function systemRoutes(
  server: FastifyInstance,
  { abdicate }: ApiDependencies,
  options: ApiOptions,
): void {
  server.get('/v2/info', async () => infoOf(options));

  // The others hand the question on to the one that leads.
  server.get('/v2/leader', async () => ({ leader: `${options.host}:${options.port}` }));

  server.delete<LeaderQuery>('/v2/leader', async ({ query }) => {
    for (const name of ['backup', 'restore'] as const) {
      const uri = query[name];
      if (uri === undefined) continue;
      if (!URL.canParse(uri)) throw new Problem(422, { message: `The ${name} URI '${uri}' is not valid` });
      throw new NotBuilt(`Abdicating with a ${name}`);
    }
    abdicate();
    return { message: 'Leadership abdicated' };
  });

  // Weir loads none: its seams are chosen when it is composed.
  server.get('/v2/plugins', async () => ({ plugins: [] }));
}
