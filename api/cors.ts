import type { FastifyInstance } from 'fastify';

/** Who may read from a browser: pages of the configured origins, and only with methods that change nothing (Marathon §1.1). */
export function allowReading(server: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  server.addHook('onRequest', async ({ method, headers }, reply) => {
    const { origin } = headers;
    if (origin === undefined || !['GET', 'HEAD', 'OPTIONS'].includes(method)) return;
    const isAny = origins.includes('*');
    if (!isAny && !origins.includes(origin)) return;
    const asked = headers['access-control-request-headers'];
    reply.headers({
      'access-control-allow-origin': isAny ? '*' : origin,
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-max-age': '86400',
      ...(asked === undefined ? {} : { 'access-control-allow-headers': asked }),
      ...(isAny ? {} : { vary: 'origin' }),
    });
  });
}
