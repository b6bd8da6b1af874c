import type { FastifyInstance } from 'fastify';

/** Tells which methods a path answers to, from the routes declared after this call. For 405, which needs to know them all. */
export function allowedMethods(server: FastifyInstance): (path: string) => readonly string[] {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  server.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: patternOf(url), methods: [method].flat() });
  });
  return (path) => {
    const plain = path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
    const found = routes.filter(({ pattern }) => pattern.test(plain)).flatMap(({ methods }) => methods);
    return [...new Set(found)].sort();
  };
}

/** `/v2/deployments/:id` and `/v2/apps/*` as fastify reads them; `::` is a plain colon. */
function patternOf(url: string): RegExp {
  const text = url
    .replaceAll('::', '\0')
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replace(/:\w+/g, '[^/]+')
    .replaceAll('\0', ':');
  return new RegExp(`^${text}$`);
}
