import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Server } from 'node:net';
import type { ListenAddress } from '../../core/kit/listen.ts';
import type { Client } from '../handler.ts';
import type { Respond } from '../respond.ts';
import { listening, OpenConnections, type TcpLimits } from '../tcp.ts';
import { decodeMessage } from '../wire/decode.ts';
import { MAX_MESSAGE } from '../wire/types.ts';
import type { Credentials, SecureSocket } from './socket.ts';

const path = '/dns-query';
const type = 'application/dns-message';
const mostStreams = 100;

/** DNS over HTTPS (RFC 8484), by HTTP/2 and 1.1. Throws PortInUse or CannotListen. */
export async function openHttps(
  at: ListenAddress,
  respond: Respond,
  { credentials, limits }: { credentials: Credentials; limits: TcpLimits },
): Promise<SecureSocket> {
  const open = new OpenConnections(limits.connections);
  const server = createSecureServer({
    ...credentials,
    minVersion: 'TLSv1.2',
    allowHTTP1: true,
    settings: { maxConcurrentStreams: mostStreams },
  });
  server.on('connection', (socket) => open.add(socket));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('sessionError', () => {});
  server.setTimeout(limits.idleMs, (session?: { destroy(): void }) => session?.destroy());
  server.on('request', (request, response) => {
    answer(request, respond)
      .catch((): Answer => ({ status: 400 }))
      .then((answer) => say(response, answer));
  });
  // a secure HTTP/2 server is a TLS server, whatever its type says
  const opened = await listening(server as unknown as Server, at, open);
  return { ...opened, renew: (next) => server.setSecureContext({ ...next, minVersion: 'TLSv1.2' }) };
}

type Answer = { readonly status: number; readonly headers?: OutgoingHttpHeaders; readonly body?: Uint8Array };

async function answer(request: Http2ServerRequest, respond: Respond): Promise<Answer> {
  const url = new URL(request.url, 'https://localhost');
  if (url.pathname !== path) return { status: 404 };
  const message = await messageOf(request, url);
  if ('status' in message) return message;
  const reply = await respond(message.bytes, clientOf(request));
  // what gets no reply by UDP is no query
  if (reply === undefined) return { status: 400 };
  return {
    status: 200,
    headers: { 'content-type': type, 'cache-control': `max-age=${lifeOf(reply)}` },
    body: reply,
  };
}

type Asked = { readonly bytes: Buffer };

async function messageOf(request: Http2ServerRequest, url: URL): Promise<Asked | Answer> {
  if (request.method === 'GET' || request.method === 'HEAD') {
    const text = url.searchParams.get('dns');
    if (text === null || !/^[\w-]+$/.test(text)) return { status: 400 };
    return { bytes: Buffer.from(text, 'base64url') };
  }
  if (request.method !== 'POST') return { status: 405, headers: { allow: 'GET, HEAD, POST' } };
  if (mediaType(request.headers['content-type']) !== type) return { status: 415 };
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_MESSAGE) return { status: 413 };
    chunks.push(chunk);
  }
  return { bytes: Buffer.concat(chunks) };
}

/** RFC 9110 §8.3.1: in any case, and what follows it says nothing here. */
function mediaType(field = ''): string {
  return field.split(';', 1)[0]!.trim().toLowerCase();
}

function clientOf(request: Http2ServerRequest): Client {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  return { address: remoteAddress, port: remotePort, transport: 'https' };
}

/** Seconds that a cache on the way may keep it (RFC 8484 §5.1). */
function lifeOf(reply: Uint8Array): number {
  const read = decodeMessage(reply);
  if (read.kind !== 'message') return 0;
  const { answers, authorities } = read.message;
  const [soa] = authorities;
  if (answers.length > 0) return Math.min(...answers.map((record) => record.ttl));
  return soa?.type === 'SOA' ? Math.min(soa.ttl, soa.minimum) : 0;
}

function say(response: Http2ServerResponse, { status, headers = {}, body }: Answer): void {
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(status, { ...headers, 'content-length': body?.length ?? 0 });
  response.end(body ?? '');
}
