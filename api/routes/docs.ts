import type { FastifyInstance } from 'fastify';
import { accepts } from '../accepts.ts';
import { type DeclaredRoute, openApi, operations } from '../openapi/document.ts';
import { docsPage, linksPage } from '../openapi/page.ts';
import { schemas } from '../openapi/schemas.ts';
import { NotFound } from '../problem.ts';

/** The description of the API, made of the routes declared from this call on: it has to be the first. */
export function docsRoutes(server: FastifyInstance): void {
  const routes: DeclaredRoute[] = [];
  let text: string | undefined;
  server.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) if (!implied.includes(each)) routes.push({ method: each, url });
  });
  const document = () => {
    text ??= JSON.stringify(openApi(routes));
    return text;
  };

  server.get('/docs', async (request, reply) => {
    const { accept } = request.headers;
    const isBrowser = accept?.includes('text/html') && !accept.startsWith('application/json');
    if (isBrowser && accepts(accept, 'text/html')) return reply.type('text/html').send(docsPage(operations));
    return reply.type('application/json').send(document());
  });
  server.get('/docs/openapi.json', async (_request, reply) =>
    reply.type('application/json').send(document()),
  );
  server.get('/ui', async (_request, reply) => reply.type('text/html').send(linksPage()));

  // Up to Marathon 1.6 (§2.7).
  server.get<{ Params: { type: string } }>('/v2/schemas/:type', async ({ params: { type }, url }) => {
    if (type === 'app') return schemas.App;
    if (type === 'group') return { ...schemas.Group, components: { schemas: { Group: schemas.Group } } };
    throw new NotFound(`URI not found: ${url}`);
  });
}

/** Answered wherever there is a GET. */
const implied = ['HEAD', 'OPTIONS'];
