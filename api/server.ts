import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { errorCode, errorText, WeirError } from '../core/kit/errors.ts';
import type { Part } from '../core/kit/part.ts';
import { accepts } from './accepts.ts';
import { reportDoor } from './agent-reports.ts';
import { allowedMethods } from './allowed-methods.ts';
import { standingHeaders } from './answer-plainly.ts';
import { compressAnswers } from './compress.ts';
import { allowReading } from './cors.ts';
import type { ApiDependencies, ApiOptions } from './dependencies.ts';
import type { Door, Handle } from './door.ts';
import { Problem, type ProblemBody } from './problem.ts';
import { allRoutes, localRoutes } from './routes/index.ts';

/** Bodies beyond this are refused with 413. */
const largestBodyBytes = 64 * 1024 * 1024;

/** The HTTP API: Marathon's below /v2, Weir's own below /v1. */
export class ApiServer implements Part {
  readonly #dependencies: ApiDependencies;
  readonly #options: ApiOptions;
  readonly #door: Door;
  #router: FastifyInstance | undefined;

  /** Answers at the door from its start to its end. */
  constructor(dependencies: ApiDependencies, options: ApiOptions, door: Door) {
    this.#dependencies = dependencies;
    this.#options = options;
    this.#door = door;
  }

  /** `http://host:port` it listens at. */
  get url(): string {
    return this.#door.url;
  }

  /** Throws PortInUse. */
  async start(): Promise<void> {
    const isReport = reportDoor(this.#dependencies, answerFor);
    const router = build(this.#dependencies, this.#options, allRoutes);
    await router.ready();
    this.#router = router;
    await this.#door.start();
    this.#door.lead((request, response) => {
      if (!isReport(request, response)) router.routing(request, response);
    });
  }

  async stop(): Promise<void> {
    this.#door.giveUp();
    await this.#router?.close();
    this.#router = undefined;
  }
}

/** What a master answers by itself while another one leads. */
export async function standbyRouter(dependencies: ApiDependencies, options: ApiOptions): Promise<Handle> {
  const router = build(dependencies, options, localRoutes);
  await router.ready();
  return (request, response) => router.routing(request, response);
}

function build(
  dependencies: ApiDependencies,
  options: ApiOptions,
  routes: typeof allRoutes,
): FastifyInstance {
  const server = fastify({
    bodyLimit: largestBodyBytes,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 2_000 },
    exposeHeadRoutes: true,
  });
  const requests = dependencies.metrics.counter('weir_api_requests_total', 'API requests by status class.');
  const leader =
    routes === allRoutes ? { 'x-marathon-leader': `http://${options.host}:${options.port}` } : {};
  server.addHook('onRequest', async (request, reply) => {
    request.raw.headers['content-type'] ??= 'application/json';
    reply.headers({ ...standingHeaders, ...leader });
    if (!isAcceptable(request)) throw new Problem(406, { message: 'Not Acceptable' });
  });
  server.addHook('onResponse', async (_request, reply) => {
    requests({ class: `${Math.floor(reply.statusCode / 100)}xx` });
  });
  allowReading(server, options.allowOrigins);
  acceptJson(server);
  compressAnswers(server);
  const methodsOf = allowedMethods(server);
  server.setErrorHandler(async (error: FastifyError, _request, reply) => {
    const { status, body } = answerFor(error);
    if (status >= 500 && !(error instanceof Problem))
      dependencies.log.error('request failed', { error: errorText(error) });
    return reply.code(status).send(body);
  });
  server.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const allowed = methodsOf(path);
    if (allowed.length === 0) return reply.code(404).send({ message: `URI not found: ${path}` });
    if (request.method === 'OPTIONS') return reply.code(200).header('allow', allowed.join(', ')).send();
    return reply.code(405).header('allow', allowed.join(', ')).send({ message: 'Method Not Allowed' });
  });
  routes(server, dependencies, options);
  return server;
}

/** Tasks come as text too; the event stream has its own rule (Marathon §9.1). */
function isAcceptable({ url, headers }: { url: string; headers: { accept?: string | undefined } }): boolean {
  const applies = url.startsWith('/v2/') && !url.startsWith('/v2/events');
  return !applies || accepts(headers.accept, 'application/json', 'text/plain');
}

/** An empty body is told apart from a malformed one, and a missing content type is taken for JSON (Marathon §1.1, §1.6). */
function acceptJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parse = (
    { url }: { readonly url: string },
    text: string | Buffer,
    done: (error: Error | null, body?: unknown) => void,
  ) => {
    if (text.length === 0 || ignoresBody(url)) return done(null, undefined);
    try {
      done(null, JSON.parse(String(text)));
    } catch (error) {
      done(new Problem(400, { message: 'Invalid JSON', details: errorText(error) }));
    }
  };
  server.addContentTypeParser('application/json', { parseAs: 'string' }, parse);
}

/** Faults that may be over when the same is asked again later. */
const forNow = [
  'WEIR_STORE_UNAVAILABLE',
  'WEIR_AGENT_SILENT',
  'WEIR_ADDRESS_POOL_FULL',
  'WEIR_VIP_RANGE_FULL',
];

/** A restart says nothing (Marathon §3.8); what clients send with it all the same is not looked at. */
function ignoresBody(url: string): boolean {
  return /^\/v2\/apps\/[^?]+\/restart\/?(\?|$)/.test(url);
}

function answerFor(error: unknown): { status: number; body: ProblemBody } {
  if (error instanceof Problem) return { status: error.status, body: error.body };
  if (error instanceof WeirError) {
    return {
      status: forNow.includes(error.code) ? 503 : 500,
      body: { message: error.message, code: error.code },
    };
  }
  if (errorCode(error) === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return { status: 415, body: { message: 'Unsupported Media Type' } };
  const status = (error as FastifyError).statusCode ?? 500;
  return {
    status,
    body: { message: status === 500 ? `Internal error: ${errorText(error)}` : errorText(error) },
  };
}
