import { hash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText } from '../core/kit/errors.ts';
import { HttpListener } from '../core/kit/http-listener.ts';
import type { ListenAddress } from '../core/kit/listen.ts';
import type { Part } from '../core/kit/part.ts';
import type { HttpPage, HttpReply } from './http-reply.ts';

/** Gives the reply to GET of a path: `DnsConsumer.mesos`, `DnsConsumer.dcos`. `from`: the `next` of a page. */
export type HttpSource = (path: string, from?: number) => Promise<HttpReply>;

/**
 * The Mesos-DNS HTTP API, or that of DC/OS, on a port of its own. It runs beside the control process, not in the worker: there `node:http`
 * alone would cost 16 MB, here it is loaded anyway.
 */
export class DnsHttpServer implements Part {
  readonly #listener: HttpListener;

  /** `metrics`: text for `GET /metrics`, which Mesos-DNS has not; without it that is not found there. */
  constructor(source: HttpSource, at: ListenAddress, metrics?: () => Promise<string>) {
    this.#listener = new HttpListener(at, (request, response) => {
      if (metrics === undefined || request.url !== '/metrics') void reply(request, response, source);
      else void replyMetrics(response, metrics);
    });
  }

  /** Throws PortInUse or CannotListen. */
  start(): Promise<void> {
    return this.#listener.start();
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  /** Where it listens now, the port filled in. */
  get bound(): ListenAddress {
    return this.#listener.bound;
  }
}

async function replyMetrics(response: ServerResponse, metrics: () => Promise<string>): Promise<void> {
  try {
    const text = await metrics();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
  } catch (error) {
    response.writeHead(503, { 'content-type': 'text/plain' }).end(`${errorText(error)}\n`);
  }
}

async function reply(request: IncomingMessage, response: ServerResponse, source: HttpSource): Promise<void> {
  const given = await replyTo(request, source);
  if ('items' in given) return replyInPages(request, response, { first: given, source });
  const isText = 'text' in given;
  const text = isText ? given.text : JSON.stringify(given.body);
  // who asks again and again is told cheaply that nothing has changed (vip.md §11)
  const etag = `"${hash('sha1', text, 'base64')}"`;
  const isKnown = given.status === 200 && request.headers['if-none-match'] === etag;
  response.writeHead(isKnown ? 304 : given.status, {
    ...(given.status === 200 ? { etag } : {}),
    ...(isKnown ? {} : contentHeaders(text, isText)),
    ...(given.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(isKnown || request.method === 'HEAD' ? undefined : text);
}

/** Nobody who does not read is waited for longer. */
const mostIdleMs = 10_000;

/** A page and all that follow it; each is made when the one before has been taken. */
async function replyInPages(
  request: IncomingMessage,
  response: ServerResponse,
  { first, source }: { first: HttpPage; source: HttpSource },
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  if (request.method === 'HEAD') return void response.end();
  response.setTimeout(mostIdleMs, () => response.destroy());
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  try {
    for await (const text of textsOf(first, (from) => source(request.url ?? '/', from))) {
      if (text !== '' && !response.write(text)) await once(response, 'drain', closed);
    }
    response.end();
  } catch {
    // a list without its end is no answer
    response.destroy();
  }
}

/** Throws where a page that should follow is none. */
async function* textsOf(first: HttpPage, more: (from: number) => Promise<HttpReply>): AsyncIterable<string> {
  let comma = '';
  for (let page = first; ; ) {
    const { open, items, close = '', next } = page;
    if (open !== undefined) comma = '';
    yield (open ?? '') + (items.length > 0 ? comma : '') + items.join(',') + close;
    if (items.length > 0) comma = ',';
    if (next === undefined) return;
    const reply = await more(next);
    if (!('items' in reply)) throw new TypeError(`a list ended in the middle with status ${reply.status}`);
    page = reply;
  }
}

function contentHeaders(text: string, isText: boolean): Record<string, string | number> {
  const type = isText ? 'text/plain; version=0.0.4' : 'application/json';
  return { 'content-type': type, 'content-length': Buffer.byteLength(text) };
}

async function replyTo(request: IncomingMessage, source: HttpSource): Promise<HttpReply> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, body: { message: `${request.method} is not supported, only GET` } };
  }
  try {
    return await source(request.url ?? '/');
  } catch (error) {
    return { status: 503, body: { message: errorText(error) } };
  }
}
