import type { FastifyInstance } from 'fastify';
import { createProxyServer } from 'http-proxy-3';
import { errorText } from '../../core/kit/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { NotFound, Problem } from '../problem.ts';

/** Fields that belong to one connection (RFC 9110 §7.6.1) and must not pass a proxy. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * `/service/<app id>/…`: an app's own pages by way of the API, for consoles of apps without a public route.
 * Not for public traffic: that is the edge's.
 */
export function serviceRoutes(server: FastifyInstance, { publisher, log }: ApiDependencies): void {
  const proxy = createProxyServer({ xfwd: true, proxyTimeout: 60_000 });
  proxy.on('proxyReq', (request) => {
    for (const name of hopByHop) request.removeHeader(name);
  });

  // The body must reach the app as it came: nothing is parsed here.
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.all<{ Params: { '*': string } }>('/service/*', async (request, reply) => {
      const found = endpointFor(request.params['*']);
      if (found === undefined) throw new NotFound(`No app answers at '/service/${request.params['*']}'`);
      if (found.target === undefined)
        throw new Problem(503, { message: `App '${found.app}' has no ready instance` });
      reply.hijack();
      request.raw.url = request.raw.url?.slice(`/service${found.app}`.length) || '/';
      if (!request.raw.url.startsWith('/')) request.raw.url = `/${request.raw.url}`;
      proxy.web(request.raw, reply.raw, { target: found.target }, (error) => {
        log.warn('service gateway', { app: found.app, error: errorText(error) });
        if (!reply.raw.headersSent) reply.raw.writeHead(502, { 'content-type': 'application/json' });
        reply.raw.end(
          JSON.stringify({ message: `App '${found.app}' cannot be reached: ${errorText(error)}` }),
        );
      });
    });
  });

  /** The longest app id that the path begins with, and one of its ready endpoints. */
  function endpointFor(path: string): { app: string; target: string | undefined } | undefined {
    const parts = path.split('/').filter((part) => part !== '');
    for (let length = parts.length; length > 0; length--) {
      const app = `/${parts.slice(0, length).join('/')}`;
      const endpoints = publisher.directory.byApp.get(app);
      if (endpoints === undefined) continue;
      const ready = endpoints.filter((endpoint) => endpoint.ready && endpoint.ports.length > 0);
      const port = ready[Math.floor(Math.random() * ready.length)]?.ports[0];
      return { app, target: port && `http://${port.address}:${port.port}` };
    }
    return undefined;
  }
}
