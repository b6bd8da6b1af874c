import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../core/kit/clock.ts';
import { errorCode, errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import { answerPlainly } from './answer-plainly.ts';
import type { Handle } from './door.ts';

/** What a waiting master knows of who leads. */
export type Leadership = {
  /** `host:port` this master is known by. */
  readonly self: string;
  /** `host:port` of the one that serves, as far as is known. */
  readonly leader: () => Promise<string | undefined>;
  /** This master's own answers, once it leads itself. */
  readonly leading: () => Handle | undefined;
};

/** So long is a leader waited for (Marathon §1.5). */
const tries = 10;
const triedEveryMs = 250;
/** Marathon §20: how long the leader has to take the connection, and to begin its answer. */
const connectMs = 5_000;
const answerMs = 10_000;
/** A stream that has begun says something at least every 10 s (§9.1). */
const silenceMs = 60_000;

/** Fields of one connection (RFC 9110 §7.6.1); `expect` was answered by this end. */
const ofConnection = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
];

/**
 * Hands requests to the leader and its answers back as they come, streams of events too (Marathon §1.5). While it cannot
 * be connected to it may be another one by the next try; nothing was sent yet, so nothing is done twice.
 */
export function leaderProxy(
  { self, leader, leading }: Leadership,
  { clock, log }: { clock: Clock; log: Log },
): Handle {
  return (request, response) => {
    forward(request, response).catch((error: unknown) => {
      log.warn('proxying to the leader', { path: request.url, error: errorText(error) });
      if (!response.headersSent)
        answerPlainly(response, 502, { message: `The leader did not answer: ${errorText(error)}` });
      else response.destroy();
    });
  };

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (viaOf(request).includes(self))
      return answerPlainly(response, 502, { message: `Detected a proxying loop at ${self}` });
    for (let tried = 0; tried < tries && !response.destroyed; tried += 1) {
      const here = leading();
      if (here !== undefined) return here(request, response);
      const at = await leader();
      // An own record is that of an earlier life.
      const socket = at === undefined || at === self ? undefined : await connected(at);
      if (socket !== undefined) return exchange(request, response, { socket, self });
      await clock.sleep(triedEveryMs);
    }
    answerPlainly(response, 502, { message: 'Could not determine the current leader' });
  }
}

/** Undefined when nobody listens there. */
async function connected(at: string): Promise<Socket | undefined> {
  const { hostname, port } = new URL(`http://${at}`);
  const socket = connect({ host: hostname, port: Number(port || 80), timeout: connectMs });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      socket.once('timeout', () => reject(new Error(`no connection to ${at} within ${connectMs / 1000} s`)));
    });
    socket.setTimeout(0);
    return socket;
  } catch (error) {
    socket.destroy();
    if (errorCode(error) === 'ECONNREFUSED') return undefined;
    throw error;
  }
}

async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  { socket, self }: { socket: Socket; self: string },
): Promise<void> {
  const sent = httpRequest({
    createConnection: () => socket,
    method: request.method,
    path: request.url,
    headers: headersFor(request, self),
    timeout: answerMs,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
    sent.once('timeout', () => sent.destroy(new Error(`silent for ${answerMs / 1000} s`)));
  });
  response.once('close', () => sent.destroy());
  // An answer may come before the whole body was taken; what is wrong with the body then is not of interest.
  const body = pipeline(request, sent).catch(() => {});
  const answer = await answered;
  sent.removeAllListeners('timeout');
  sent.setTimeout(silenceMs, () => sent.destroy());
  const headers = without(answer.headers);
  response.writeHead(answer.statusCode ?? 502, { ...headers, via: viaThrough(answer, self) });
  response.flushHeaders();
  await pipeline(answer, response);
  await body;
}

function headersFor(request: IncomingMessage, self: string) {
  const { headers, socket } = request;
  const before = headers['x-forwarded-for'];
  const client = socket.remoteAddress ?? 'unknown';
  return {
    ...without(headers),
    connection: 'close',
    via: viaThrough(request, self),
    'x-forwarded-for': before === undefined ? client : `${[before].flat().join(', ')}, ${client}`,
    // A body without a length is sent as it comes, with every method.
    ...(headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
  };
}

/** Without the fields of the connection, and those that `connection` names. */
function without(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !ofConnection.includes(name) && !named.includes(name)),
  );
}

function viaThrough(message: IncomingMessage, self: string): string {
  const { via } = message.headers;
  return via === undefined ? `1.1 ${self}` : `${via}, 1.1 ${self}`;
}

/** Who passed it on so far. */
function viaOf({ headers }: IncomingMessage): readonly string[] {
  return (headers.via ?? '').split(',').map((hop) => hop.trim().split(/\s+/)[1] ?? '');
}
